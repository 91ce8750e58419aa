/** Every screen in every state that is worth a look: what the screenshots show, and what axe examines. */
import type { Page } from 'playwright-core';
import { type Account, type Electric, sceaux } from './electric.ts';

export interface Town {
  electric: Electric;
  /** Has nothing yet. */
  newcomer: Account;
  /** Sees the kitchen's meter of the house in Sceaux alone. */
  tenant: Account;
  /** Has the house in Sceaux. */
  owner: Account;
  property_id: number;
  /** A property of the owner that nobody has read yet. */
  empty_id: number;
  invitation: string;
}

export async function buildTown(electric: Electric): Promise<Town> {
  const newcomer = await electric.newAccount('newcomer');
  const owner = await electric.newAccount('anna');
  const { id: property_id } = await sceaux(owner);
  const { id: empty_id } = await owner.client.createProperty({ body: { display_name: 'Linden 4' } });
  const tenant = await electric.newAccount('tenant');
  const { items } = await owner.client.listMeters({ property_id, search: 'kitchen' });
  const asked = { role: 'tenant' as const, meter_ids: items.map(({ id }) => id) };
  const { token: key } = await owner.client.createInvitation({ property_id, body: asked });
  await tenant.client.acceptInvitation({ token: key });
  const { token } = await owner.client.createInvitation({ property_id, body: { role: 'reader' } });
  return { electric, newcomer, tenant, owner, property_id, empty_id, invitation: token };
}

export interface Scene {
  name: string;
  path: (town: Town) => string;
  /** Nobody is signed in if it is not said. */
  as?: 'newcomer' | 'owner' | 'tenant';
  /** Before the page is opened: what of the network fails. */
  before?: (page: Page) => Promise<unknown>;
  /** What is done on it until it looks as its name says. */
  after?: (page: Page) => Promise<void>;
}

const unreachable = (of: string) => (page: Page) => page.route(of, (route) => route.abort());

export const SCENES: readonly Scene[] = [
  { name: 'sign-in', path: () => '/sign-in' },
  {
    name: 'sign-in-wrong',
    path: () => '/sign-in',
    after: async (page) => {
      await page.locator('input[name=username]').fill('anna');
      await page.locator('input[name=password]').fill('not her password at all');
      await page.locator('button[type=submit]').click();
      await page.getByRole('alert').waitFor();
    },
  },
  { name: 'register', path: () => '/register' },
  {
    name: 'register-wrong',
    path: () => '/register',
    after: async (page) => {
      await page.locator('input[name=username]').fill('anna');
      await page.locator('input[name=email]').fill('anna');
      await page.locator('input[name=password]').fill('password');
      await page.locator('button[type=submit]').click();
      await page.locator('[aria-invalid]').first().waitFor();
    },
  },
  { name: 'forgot', path: () => '/forgot' },
  { name: 'reset', path: () => '/reset-password#token' },
  { name: 'invitation', path: ({ invitation }) => `/invitations/${invitation}` },
  { name: 'not-found', path: () => '/nowhere' },
  { name: 'overview-empty', path: () => '/', as: 'newcomer' },
  { name: 'overview', path: () => '/', as: 'owner' },
  {
    name: 'overview-failing',
    path: () => '/',
    as: 'owner',
    before: unreachable('**/api/users/me/dashboard'),
  },
  { name: 'setup', path: () => '/properties/new', as: 'newcomer' },
  {
    name: 'setup-wrong',
    path: () => '/properties/new',
    as: 'newcomer',
    after: async (page) => {
      await page.locator('form button[type=submit]').click();
      await page.locator('[aria-invalid]').first().waitFor();
    },
  },
  {
    name: 'property',
    path: ({ property_id }) => `/properties/${property_id}`,
    as: 'owner',
    after: async (page) => {
      await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
      await page.locator('figcaption').waitFor();
    },
  },
  {
    name: 'property-month',
    path: ({ property_id }) => `/properties/${property_id}?unit=month&on=2010-11-01&compare=year`,
    as: 'owner',
  },
  {
    name: 'property-bar',
    path: ({ property_id }) => `/properties/${property_id}?unit=year&on=2010-01-01`,
    as: 'owner',
    after: async (page) => {
      await page.getByRole('button', { name: /november 2010/i }).click();
      await page.getByRole('dialog').getByRole('table').waitFor();
    },
  },
  {
    name: 'property-failing',
    path: ({ property_id }) => `/properties/${property_id}`,
    as: 'owner',
    before: unreachable('**/consumption/series*'),
  },
  { name: 'property-empty', path: ({ empty_id }) => `/properties/${empty_id}`, as: 'owner' },
  { name: 'read', path: ({ property_id }) => `/properties/${property_id}/read`, as: 'owner' },
  { name: 'meters', path: ({ property_id }) => `/properties/${property_id}/meters`, as: 'owner' },
  { name: 'tenant-overview', path: () => '/', as: 'tenant' },
  { name: 'tenant-property', path: ({ property_id }) => `/properties/${property_id}`, as: 'tenant' },
  { name: 'tenant-meters', path: ({ property_id }) => `/properties/${property_id}/meters`, as: 'tenant' },
  { name: 'more', path: () => '/more', as: 'owner' },
];
