import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Account, type Electric, signIn, startElectric, visit } from './support.ts';

let electric: Electric;
let anna: Account;
beforeAll(async () => {
  electric = await startElectric();
  anna = await electric.newAccount('anna');
});
afterAll(() => electric.stop());

/** A refused request is an error in the browser's console. */
const REFUSED = /console: Failed to load resource/;

test('a new account: registered, signed in, still there after a reload, signed out', () =>
  visit(electric, { size: 'phone' }, async (page) => {
    await page.goto('/');
    await page.waitForURL('**/sign-in');
    await page.getByRole('link', { name: 'Create account' }).click();
    await page.getByLabel('Username').fill('berta');
    await page.getByLabel('Email').fill('berta@example.com');
    await page.getByLabel('Password', { exact: true }).fill('four words are good enough');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByRole('heading', { name: 'Welcome to Electric' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Welcome to Electric' }).waitFor();
    await page.getByRole('link', { name: 'More' }).click();
    await page.getByText('Signed in as berta').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL('**/sign-in**');
    await page.goto('/more');
    await page.waitForURL('**/sign-in?to=%2Fmore');
  }));

test('password managers know what is what', () =>
  visit(electric, {}, async (page) => {
    const kinds = () =>
      page.locator('input').evaluateAll((all) => all.map((each) => each.getAttribute('autocomplete')));
    await page.goto('/sign-in');
    await page.locator('input').first().waitFor();
    expect(await kinds()).toEqual(['username webauthn', 'current-password']);
    await page.goto('/register');
    await page.locator('input').first().waitFor();
    expect(await kinds()).toEqual(['username', 'email', 'new-password']);
    await page.goto('/reset-password#a-token');
    await page.locator('input').first().waitFor();
    expect(await kinds()).toEqual(['new-password']);
  }));

test('what is wrong stands beside the field, which has the focus', () =>
  visit(electric, { expected: REFUSED }, async (page) => {
    await page.goto('/register');
    await page.getByRole('button', { name: 'Create account' }).click();
    const username = page.getByLabel('Username');
    expect(await username.evaluate((field) => field === field.ownerDocument.activeElement)).toBe(true);
    expect(await username.getAttribute('aria-invalid')).toBe('true');
    // What only the server knows.
    await username.fill('anna');
    await page.getByLabel('Email').fill('other@example.com');
    await page.getByLabel('Password', { exact: true }).fill('a sentence that is long enough');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.locator('p[id$=-error]').getByText(/taken/).waitFor();
    expect(await username.getAttribute('aria-describedby')).toContain('-error');
  }));

test('a wrong password is said as one, in the language of the browser', () =>
  visit(electric, { locale: 'sv-SE', expected: REFUSED }, async (page) => {
    await page.goto('/sign-in');
    await page.getByLabel('Användarnamn eller e-post').fill('anna');
    await page.getByLabel('Lösenord', { exact: true }).fill('fel lösenord helt enkelt');
    await page.getByRole('button', { name: 'Logga in' }).click();
    await page.getByRole('alert').getByText('stämmer inte').waitFor();
  }));

test('an invitation leads through signing in to the property', () =>
  visit(electric, { size: 'phone' }, async (page) => {
    const owner = await electric.newAccount('owner');
    const { id: property_id } = await owner.client.createProperty({ body: { display_name: 'Linden 4' } });
    const { token } = await owner.client.createInvitation({ property_id, body: { role: 'reader' } });
    await page.goto(`/invitations/${token}`);
    await page.getByText('owner invites you to Linden 4 as reader.').waitFor();
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.getByLabel('Username or email').fill('anna');
    await page.getByLabel('Password', { exact: true }).fill(anna.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Accept' }).click();
    await page.getByRole('heading', { name: 'Linden 4' }).waitFor();
  }));

test('without its cookie nobody is signed in, whatever the browser remembers', () =>
  visit(electric, { expected: REFUSED }, async (page) => {
    await signIn(page, anna);
    await page.context().clearCookies();
    await page.goto('/more');
    await page.waitForURL('**/sign-in?to=%2Fmore');
  }));

test('signing in leads to no other site', () =>
  visit(electric, {}, async (page) => {
    for (const to of ['//elsewhere.example/', 'https://elsewhere.example/', '/\\elsewhere.example']) {
      await signIn(page, anna, to);
      expect(page.url(), to).toBe(`${electric.origin}/`);
    }
  }));

test('language and theme are chosen, and remembered', () =>
  visit(electric, { theme: 'light' }, async (page) => {
    await signIn(page, anna, '/more');
    const shown = () =>
      page.evaluate(() => {
        const { documentElement } = document;
        return [documentElement.lang, getComputedStyle(documentElement).colorScheme];
      });
    expect(await shown()).toEqual(['en', 'light dark']);
    await page.getByText('Deutsch').click();
    await page.getByRole('heading', { name: 'Mehr' }).waitFor();
    await page.getByText('Dunkel', { exact: true }).click();
    await page.reload();
    await page.getByRole('heading', { name: 'Mehr' }).waitFor();
    expect(await shown()).toEqual(['de', 'dark']);
  }));

test('a session that was ended elsewhere asks to sign in, and comes back to the page', () =>
  visit(electric, { expected: REFUSED }, async (page) => {
    await signIn(page, anna, '/more');
    await page.getByText('Signed in as anna').waitFor();
    const { items } = await anna.client.listSessions({});
    for (const { id, current } of items) if (!current) await anna.client.endSession({ session_id: id });
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.waitForURL('**/sign-in**');
    await page.getByLabel('Username or email').waitFor();
  }));

test('the keyboard: skip link first, focus on the heading after going elsewhere, back again', () =>
  visit(electric, {}, async (page) => {
    await signIn(page, anna);
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    await page.reload();
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('content');
    await page.getByRole('link', { name: 'More' }).click();
    await page.waitForFunction(() => document.activeElement?.tagName === 'H1');
    expect(await focused()).toBe('More');
    expect(await page.title()).toBe('More · Electric');
    await page.goBack();
    await page.waitForFunction(
      () => document.title === 'Welcome to Electric · Electric' || document.title.startsWith('Overview'),
    );
  }));

test('without a connection it says so', () =>
  visit(electric, { expected: REFUSED }, async (page) => {
    await signIn(page, anna);
    await page.context().setOffline(true);
    await page.getByText('No connection').waitFor();
    await page.context().setOffline(false);
    await page.getByText('No connection').waitFor({ state: 'detached' });
  }));
