import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Account, type Electric, sceaux, settled, signIn, startElectric, visit } from './support.ts';

let electric: Electric;
let owner: Account;
let property_id: number;
beforeAll(async () => {
  electric = await startElectric();
  owner = await electric.newAccount('owner');
  ({ id: property_id } = await sceaux(owner));
});
afterAll(() => electric.stop());

test('an empty account: a property with its meters in one form, and its first round', () =>
  visit(electric, { size: 'phone', locale: 'de-DE' }, async (page) => {
    const account = await electric.newAccount('karl');
    await signIn(page, account);
    await page.getByRole('link', { name: 'Gebäude anlegen' }).click();
    await page.getByLabel('Name des Gebäudes').fill('Lindenstraße 4');
    await page.getByLabel('Name von Unterzähler 1').fill('Küche');
    await page.getByRole('button', { name: 'Unterzähler hinzufügen' }).click();
    await page.getByLabel('Name von Unterzähler 2').fill('Küche');
    await page.getByRole('button', { name: 'Gebäude anlegen' }).click();
    await page.getByText('Zwei Zähler heißen so').waitFor();
    await page.getByLabel('Name von Unterzähler 2').fill('Sauna');
    await page.getByRole('button', { name: 'Gebäude anlegen' }).click();
    await page.waitForURL('**/read');
    const { items } = await account.client.listProperties({});
    const made = await account.client.listMeters({ property_id: items[0]!.id });
    expect(made.items.map(({ name }) => name)).toEqual(['Hauptzähler', 'Küche', 'Sauna']);
    expect(items[0]).toMatchObject({ timezone: 'Europe/Stockholm', currency: 'EUR' });
    await page.getByLabel('Hauptzähler', { exact: true }).fill('12.345,6');
    await page.getByLabel('Küche', { exact: true }).fill('250,5');
    await page.getByRole('button', { name: 'Speichern' }).click();
    await page.getByText('2 Ablesungen gespeichert').waitFor();
    const { items: read } = await account.client.getHistory({ meter_id: made.items[1]!.id });
    expect(read.map(({ value }) => value)).toEqual(['250.5']);
  }));

test('the sample is loaded with one press', () =>
  visit(electric, { locale: 'sv-SE' }, async (page) => {
    await signIn(page, await electric.newAccount('sven'));
    await page.getByRole('button', { name: 'Prova med exempeldata' }).click();
    await page.getByRole('link', { name: 'Hus i Sceaux (exempel)' }).waitFor();
    await settled(page);
    const card = page.getByRole('listitem').filter({ hasText: 'Hus i Sceaux' });
    // Known answers of the house, rounded; decimal comma and thousands as Swedes write them.
    expect(await card.innerText()).toMatch(/nov\.? 2010\s+743\skWh\s+hittills\s+okt\.? 2010\s+866\skWh/);
    await page.getByRole('link', { name: 'Hus i Sceaux (exempel)' }).click();
    await page.getByRole('heading', { name: 'Vart den tog vägen' }).waitFor();
    expect(await page.getByRole('main').innerText()).toContain('8\u00a0088\u00a0kWh');
  }));

test('the four years: every value as the API has it, the months add up', () =>
  visit(electric, {}, async (page) => {
    await signIn(page, owner, `/properties/${property_id}?from=2006-12-16&to=2010-11-27&bars=year`);
    const rows = page.getByRole('region', { name: 'As a table' }).getByRole('row');
    await rows.last().waitFor();
    const cells = await rows.last().locator('td').allInnerTexts();
    expect(cells).toEqual(['37,284', '2,299', '2,661', '13,235', '19,088']);
    await page.getByLabel('Each bar').selectOption('month');
    await page.waitForURL('**bars=month**');
    await page.getByRole('button', { name: 'July 2008' }).waitFor();
    expect(await rows.last().locator('td').allInnerTexts()).toEqual(cells);
    // And the picture says the same.
    const flow = page.getByRole('img', { name: /^Main meter/ });
    expect(await flow.getAttribute('aria-label')).toMatch(
      /37,284.kWh, kitchen 2,299.kWh.*Unmetered 19,088.kWh/,
    );
  }));

test('the period stands in the address: forward, back, reloaded, compared', () =>
  visit(electric, {}, async (page) => {
    await signIn(page, owner, `/properties/${property_id}`);
    const shown = page.locator('[aria-live=polite]');
    expect(await shown.innerText()).toBe('2010');
    await page.getByRole('button', { name: 'Earlier' }).click();
    await page.waitForURL('**on=2009-01-01**');
    await page.getByText('Month', { exact: true }).first().click();
    await page.waitForURL('**unit=month**');
    expect(await shown.innerText()).toBe('December 2009');
    await page.getByLabel('Compare with').selectOption('year');
    await page.getByText('against December 2008').waitFor();
    expect(await page.getByRole('main').innerText()).toMatch(/[+-−]\d+% against December 2008/);
    await page.reload();
    await page.getByText('against December 2008').waitFor();
    await page.goBack();
    await page.goBack();
    await page.waitForURL((url) => !url.search.includes('unit=month'));
    expect(await shown.innerText()).toBe('2009');
  }));

test('behind a bar: its values, the readings it was made from, and closer', () =>
  visit(electric, { size: 'phone' }, async (page) => {
    await signIn(page, owner, `/properties/${property_id}?unit=month&on=2009-03-01`);
    const opener = page.getByRole('button', { name: 'Sun, 1 Mar 2009' });
    await opener.click();
    const dialog = page.getByRole('dialog', { name: 'Sun, 1 Mar 2009' });
    await dialog.getByRole('table').waitFor();
    const { items } = await owner.client.getPropertyRange({
      property_id,
      start_date: '2009-03-01T00:00:00+01:00',
      end_date: '2009-03-02T00:00:01+01:00',
    });
    const values = await dialog.getByRole('table').locator('td:last-child').allInnerTexts();
    expect(values.map((value) => Number(value.replaceAll(',', '')))).toEqual(
      items.map(({ value }) => Number(value)),
    );
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await opener.evaluate((button) => button === document.activeElement)).toBe(true);
    await opener.click();
    await dialog.getByRole('button', { name: 'Look closer' }).click();
    await page.waitForURL('**unit=day&on=2009-03-01**');
    // A day between two midnights: its hours are estimated, and the page says so.
    await page.getByText('Hatched: estimated').waitFor();
  }));

test('what was not read is a gap, with its reason', () =>
  visit(electric, {}, async (page) => {
    await signIn(page, owner, `/properties/${property_id}?unit=year&on=2006-01-01`);
    await page.getByText('Dotted: not known').waitFor();
    await page.getByRole('button', { name: 'November 2006' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('There are no readings on both sides.').waitFor();
    await dialog.getByText('No meter was read in this time.').waitFor();
  }));

test('another property is one choice away, on the same page', () =>
  visit(electric, {}, async (page) => {
    const { id } = await owner.client.createProperty({ body: { display_name: 'Linden 4' } });
    await signIn(page, owner, `/properties/${property_id}`);
    await page.getByLabel('Property').selectOption('Linden 4');
    await page.waitForURL(`**/properties/${id}`);
    await page.getByText('Not read yet').waitFor();
    await page.getByRole('link', { name: 'Meters' }).first().click();
    await page.waitForURL(`**/properties/${id}/meters`);
  }));
