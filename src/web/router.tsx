/** Every address of the app, and what stands there. A screen comes with its first visit; the overview at once. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { NotFound } from './features/auth/not-found.tsx';
import { Overview } from './features/overview/overview.tsx';
import { readSearch } from './features/property/period.ts';
import { currentProperty } from './queries.ts';
import { loadSession, signedIn } from './session.ts';
import { Failure } from './ui/page.tsx';
import { Shell, useFocusOnNavigation } from './ui/shell.tsx';

function Root() {
  useFocusOnNavigation();
  return <Outlet />;
}

const root = createRootRoute({
  component: Root,
  notFoundComponent: NotFound,
  errorComponent: ({ error }) => <Failure error={error} retry={() => location.reload()} />,
  beforeLoad: loadSession,
});

/** Pages for whoever is signed in. */
const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  component: Outlet,
  beforeLoad: ({ location }) => {
    const to = location.href;
    if (signedIn() !== 'yes') throw redirect({ to: '/sign-in', search: to === '/' ? {} : { to } });
  },
});

/** Those with the tabs around them; tasks that want the whole screen are children of `inside`. */
const tabs = createRoute({ getParentRoute: () => inside, id: 'tabs', component: Shell });

/** An address that leads to the same of the current property. */
function forCurrent<P extends string>(
  path: P,
  to: '/properties/$property_id' | '/properties/$property_id/meters' | '/properties/$property_id/read',
) {
  return createRoute({
    getParentRoute: () => tabs,
    path,
    beforeLoad: async () => {
      const property_id = await currentProperty();
      if (property_id === null) throw redirect({ to: '/properties/new', replace: true });
      throw redirect({ to, params: { property_id: String(property_id) }, replace: true });
    },
  });
}

const overview = createRoute({ getParentRoute: () => tabs, path: '/', component: Overview });
const more = createRoute({
  getParentRoute: () => tabs,
  path: '/more',
  component: lazyRouteComponent(() => import('./features/more/more.tsx'), 'More'),
});

const screen = { getParentRoute: () => tabs } as const;
const setup = createRoute({
  ...screen,
  path: '/properties/new',
  component: lazyRouteComponent(() => import('./features/setup/setup.tsx'), 'Setup'),
});
const property = createRoute({
  ...screen,
  path: '/properties/$property_id',
  component: lazyRouteComponent(() => import('./features/property/property.tsx'), 'Property'),
  validateSearch: readSearch,
});
const meters = createRoute({
  ...screen,
  path: '/properties/$property_id/meters',
  component: lazyRouteComponent(() => import('./features/meters/meters.tsx'), 'Meters'),
});
const reading = createRoute({
  ...screen,
  path: '/properties/$property_id/read',
  component: lazyRouteComponent(() => import('./features/reading/reading.tsx'), 'Reading'),
});

/**
 * Only to a page of this app: an address from elsewhere is not followed. What is left out of the answer the router takes
 * from the address as it stands, so it says undefined.
 */
const validateSearch = ({ to }: Record<string, unknown>): { to?: string | undefined } => ({
  to: typeof to === 'string' && /^\/(?![/\\])/.test(to) ? to : undefined,
});
const auth = () => import('./features/auth/index.ts');
const outside = { getParentRoute: () => root } as const;
const signIn = createRoute({
  ...outside,
  path: '/sign-in',
  component: lazyRouteComponent(auth, 'SignIn'),
  validateSearch,
});
const register = createRoute({
  ...outside,
  path: '/register',
  component: lazyRouteComponent(auth, 'Register'),
  validateSearch,
});
const forgot = createRoute({ ...outside, path: '/forgot', component: lazyRouteComponent(auth, 'Forgot') });
const reset = createRoute({
  ...outside,
  path: '/reset-password',
  component: lazyRouteComponent(auth, 'Reset'),
});
const invitation = createRoute({
  ...outside,
  path: '/invitations/$token',
  component: lazyRouteComponent(auth, 'Invitation'),
});

export const router = createRouter({
  routeTree: root.addChildren([
    inside.addChildren([
      tabs.addChildren([
        overview,
        more,
        setup,
        property,
        meters,
        reading,
        forCurrent('/history', '/properties/$property_id'),
        forCurrent('/meters', '/properties/$property_id/meters'),
        forCurrent('/read', '/properties/$property_id/read'),
      ]),
    ]),
    signIn,
    register,
    forgot,
    reset,
    invitation,
  ]),
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
