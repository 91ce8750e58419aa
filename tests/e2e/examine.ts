import { chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { buildTown, SCENES, type Town } from './scenes.ts';
import {
  accessibilityFaults,
  type Look,
  openPage,
  SIZES,
  settled,
  signIn,
  startElectric,
} from './support.ts';

/** By how many pixels the page is wider than the window. */
function overflow(): number {
  const { scrollWidth, clientWidth } = document.documentElement;
  return scrollWidth - clientWidth;
}

/** What is pressed and is less than 44 px high or wide, but for links inside a text. */
function tooSmall(): string[] {
  const pressed = document.querySelectorAll('a, button, summary, select, input:not(.sr-only)');
  return [...pressed]
    .filter((each) => each.checkVisibility() && getComputedStyle(each).display !== 'inline')
    .filter((each) => {
      const { width, height } = each.getBoundingClientRect();
      // What is there for screen readers only is one pixel high.
      return height > 1 && (height < 44 || width < 44);
    })
    .map((each) => each.outerHTML.slice(0, 120));
}

/** Every screen in one theme: accessible, no wider than the narrowest phone, with nothing too small for a thumb. */
export function examine({ theme, locale }: Required<Pick<Look, 'theme' | 'locale'>>): void {
  let town: Town;
  beforeAll(async () => {
    town = await buildTown(await startElectric());
  });
  afterAll(() => town.electric.stop());

  test.each([undefined, 'newcomer', 'owner', 'tenant'] as const)(`${theme}, ${locale}: %s`, async (as) => {
    const browser = await chromium.connect(inject('browserUrl'));
    try {
      const { page, faults } = await openPage(browser, town.electric, { theme, locale, size: 'phone' });
      if (as) await signIn(page, town[as]);
      const found: string[] = [];
      for (const scene of SCENES.filter((each) => each.as === as)) {
        await scene.before?.(page);
        await page.goto(scene.path(town));
        await settled(page);
        await scene.after?.(page);
        const note = (fault: string) => found.push(`${scene.name}: ${fault}`);
        for (const fault of await accessibilityFaults(page)) note(fault);
        for (const small of await page.evaluate(tooSmall)) note(`too small: ${small}`);
        await page.setViewportSize({ width: 320, height: 640 });
        const wider = await page.evaluate(overflow);
        if (wider > 0) note(`${wider} px wider than a window of 320`);
        await page.setViewportSize(SIZES.phone);
        // A refused request is an error in the console: some scenes are about one.
        for (const fault of faults.splice(0)) if (!/Failed to load resource/.test(fault)) note(fault);
        await page.unrouteAll();
      }
      expect(found).toEqual([]);
    } finally {
      await browser.close();
    }
  });
}
