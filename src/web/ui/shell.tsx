import { Link, Outlet, useLocation, useRouter } from '@tanstack/react-router';
import { useEffect, useSyncExternalStore } from 'react';
import { messages } from '../languages/index.ts';
import { words } from '../languages/words.ts';
import { Icon } from './icons.tsx';
import { Guard, Notice } from './page.tsx';
import { Toasts } from './toast.tsx';

const say = messages({
  places: { en: 'Main', sv: 'Huvudmeny', de: 'Hauptmenü' },
  offline: {
    en: 'No connection. What you see may be out of date.',
    sv: 'Ingen anslutning. Det du ser kan vara inaktuellt.',
    de: 'Keine Verbindung. Die Anzeige ist vielleicht nicht aktuell.',
  },
  insecure: {
    en: 'This page is not served over HTTPS: you will have to sign in again after every reload, and the camera and reading without coverage do not work. Ask whoever runs the server to set up HTTPS.',
    sv: 'Sidan kommer inte över HTTPS: du måste logga in igen efter varje omladdning, och kameran och avläsning utan täckning fungerar inte. Be den som sköter servern att ställa in HTTPS.',
    de: 'Diese Seite kommt nicht über HTTPS: Nach jedem Neuladen müssen Sie sich erneut anmelden; Kamera und Ablesen ohne Netz gehen nicht. Bitten Sie, wer den Server betreibt, HTTPS einzurichten.',
  },
});

/** Where each tab leads, and which addresses belong to it. */
const PLACES = [
  { to: '/', icon: 'overview', name: 'overview', here: /^\/(properties\/new)?$/ },
  { to: '/read', icon: 'read', name: 'read', here: /^\/read|^\/properties\/\d+\/read/ },
  { to: '/meters', icon: 'meters', name: 'meters', here: /^\/meters|^\/properties\/\d+\/meters/ },
  { to: '/history', icon: 'history', name: 'history', here: /^\/history|^\/properties\/\d+\/?$/ },
  { to: '/more', icon: 'more', name: 'more', here: /^\/more/ },
] as const;

function onConnection(changed: () => void): () => void {
  addEventListener('online', changed);
  addEventListener('offline', changed);
  return () => {
    removeEventListener('online', changed);
    removeEventListener('offline', changed);
  };
}

export function useOnline(): boolean {
  return useSyncExternalStore(onConnection, () => navigator.onLine);
}

/** After going to another page the focus stands on its heading: screen readers say where one is. */
export function useFocusOnNavigation(): void {
  const router = useRouter();
  useEffect(
    () =>
      router.subscribe('onRendered', ({ pathChanged, fromLocation }) => {
        if (!pathChanged || !fromLocation) return;
        const target = document.querySelector<HTMLElement>('h1') ?? document.getElementById('content');
        target?.focus({ preventScroll: true });
      }),
    [router],
  );
}

function Tabs() {
  const pathname = useLocation({ select: (location) => location.pathname });
  return (
    <nav
      aria-label={say('places')}
      className="sticky bottom-0 z-10 order-last border-t border-line bg-card pb-[env(safe-area-inset-bottom)] md:top-0 md:order-first md:h-dvh md:w-52 md:shrink-0 md:border-t-0 md:border-r md:p-3 print:hidden"
    >
      <div className="hidden items-center gap-2.5 px-3 pt-2 pb-5 md:flex">
        <img src="/icon.svg" alt="" width="32" height="32" />
        <span className="text-lg font-bold tracking-tight">Electric</span>
      </div>
      <ul className="grid grid-cols-5 md:flex md:flex-col md:gap-1">
        {PLACES.map(({ to, icon, name, here }) => (
          <li key={to}>
            <Link
              to={to}
              aria-current={here.test(pathname) ? 'page' : undefined}
              className="flex min-h-14 flex-col items-center justify-center gap-0.5 rounded-xl text-xs text-quiet no-underline aria-[current]:font-semibold aria-[current]:text-accent md:min-h-11 md:flex-row md:justify-start md:gap-3 md:px-3 md:text-base md:hover:bg-raised md:aria-[current]:bg-accent-ground"
            >
              <Icon name={icon} />
              {words(name)}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** What stands around every page: places below on a phone, on the left where there is room. */
export function Shell() {
  const online = useOnline();
  return (
    <div className="mx-auto flex min-h-dvh max-w-7xl flex-col md:flex-row">
      <button
        type="button"
        className="sr-only z-30 rounded-xl bg-card focus:not-sr-only focus:fixed focus:p-3 focus:top-2 focus:left-2"
        onClick={() => document.getElementById('content')?.focus()}
      >
        {words('skip_to_content')}
      </button>
      <Tabs />
      <main id="content" tabIndex={-1} className="flex w-full min-w-0 flex-1 flex-col gap-4 p-4 pb-8 md:p-8">
        {!isSecureContext && <Notice tone="warn">{say('insecure')}</Notice>}
        <div role="status" className="empty:hidden">
          {!online && (
            <Notice tone="warn" icon="offline">
              {say('offline')}
            </Notice>
          )}
        </div>
        <Guard>
          <Outlet />
        </Guard>
      </main>
      <Toasts />
    </div>
  );
}
