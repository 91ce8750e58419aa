import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { buildTown, SCENES, type Town } from './scenes.ts';
import { accessibilityFaults, openPage, settled, signIn, startElectric, THEMES } from './support.ts';

let town: Town;
beforeAll(async () => {
  town = await buildTown(await startElectric());
});
afterAll(() => town.electric.stop());

/** What a page may not do: be wider than the window. */
const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
/** Whatever is pressed is 44 px high or wide, but for links inside a text. */
const SMALL = `[...document.querySelectorAll('a, button, summary, select, input:not(.sr-only)')]
  .filter((each) => each.checkVisibility() && !each.closest('.sr-only') && getComputedStyle(each).display !== 'inline')
  .filter((each) => { const { width, height } = each.getBoundingClientRect(); return height > 1 && (height < 44 || width < 44); })
  .map((each) => each.outerHTML.slice(0, 120))`;

/** Every screen in both themes: accessible, no wider than the narrowest phone, with nothing too small for a thumb. */
describe.each(THEMES)('%s', (theme) => {
  test.each([undefined, 'newcomer', 'owner'] as const)('%s', async (as) => {
    const browser = await chromium.connect(inject('browserUrl'));
    try {
      const { page, faults } = await openPage(browser, town.electric, { theme, size: 'phone' });
      if (as) await signIn(page, town[as]);
      const found: string[] = [];
      for (const scene of SCENES.filter((each) => each.as === as)) {
        await scene.before?.(page);
        await page.goto(scene.path(town));
        await settled(page);
        await scene.after?.(page);
        const note = (fault: string) => found.push(`${scene.name}: ${fault}`);
        for (const fault of await accessibilityFaults(page)) note(fault);
        for (const small of (await page.evaluate(SMALL)) as string[]) note(`too small: ${small}`);
        await page.setViewportSize({ width: 320, height: 640 });
        const overflow = Number(await page.evaluate(OVERFLOW));
        if (overflow > 0) note(`${overflow} px wider than a window of 320`);
        await page.setViewportSize({ width: 390, height: 844 });
        // A refused request is an error in the console: some scenes are about one.
        for (const fault of faults.splice(0)) if (!/Failed to load resource/.test(fault)) note(fault);
        await page.unrouteAll();
      }
      expect(found).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
