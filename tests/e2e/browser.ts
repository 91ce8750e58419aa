/** Pages as a person has them, on a phone or a desk, in a light or a dark room; and what must never happen in one. */
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { Account, Electric } from './electric.ts';

export const SIZES = {
  phone: { width: 390, height: 844 },
  desktop: { width: 1280, height: 800 },
} as const;
export const THEMES = ['light', 'dark'] as const;

export interface Look {
  size?: keyof typeof SIZES;
  theme?: (typeof THEMES)[number];
  /** BCP 47; English if not said. */
  locale?: string;
}

export interface Watched {
  page: Page;
  /** Errors in the console, exceptions, and requests to elsewhere, so far. */
  faults: string[];
  close(): Promise<void>;
}

/** Opens an empty page that notes what goes wrong in it. */
export async function openPage(browser: Browser, { origin }: Electric, look: Look = {}): Promise<Watched> {
  const { size = 'desktop', theme = 'light', locale = 'en-GB' } = look;
  const is_phone = size === 'phone';
  const options: BrowserContextOptions = {
    baseURL: origin,
    viewport: SIZES[size],
    hasTouch: is_phone,
    isMobile: is_phone,
    colorScheme: theme,
    locale,
    timezoneId: 'Europe/Stockholm',
    reducedMotion: 'reduce',
  };
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => faults.push(`exception: ${error.message}`));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http') && url.origin !== origin) faults.push(`request to ${url.origin}`);
  });
  return { page, faults, close: () => context.close() };
}

/** Signs in through the form, and waits until what it opens is there. */
export async function signIn(page: Page, account: Account, to = '/'): Promise<void> {
  await page.goto(`/sign-in?to=${encodeURIComponent(to)}`);
  await page.getByLabel(/username|användarnamn|benutzername/i).fill(account.username);
  await page.locator('input[name=password]').fill(account.password);
  await page.locator('button[type=submit]').click();
  await page.waitForURL((url) => url.pathname !== '/sign-in');
  await settled(page);
}

/** Waits until nothing is loading any more. */
export async function settled(page: Page): Promise<void> {
  await page.waitForFunction(
    () => document.querySelector('h1') !== null && document.querySelector('.animate-pulse') === null,
  );
}

/** What axe finds wrong with the page as it stands: rule, and where. Empty is what a page should be. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(`${axe.source}; 0`);
  const { violations } = (await page.evaluate('axe.run({ resultTypes: ["violations"] })')) as axe.AxeResults;
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')} ${failureSummary}`),
  );
}
