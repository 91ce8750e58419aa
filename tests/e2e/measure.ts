/** Measures first and repeat loads on a slow phone, and how long pictures take: node tests/e2e/measure.ts */
import { chromium, type Page } from 'playwright-core';
import { openPage, settled, signIn } from './browser.ts';
import { launchOptions } from './chromium.ts';
import { startElectric } from './electric.ts';
import { buildTown } from './scenes.ts';
import { buildAll } from './setup.ts';

const RUNS = 5;

buildAll();
const electric = await startElectric();
const browser = await chromium.launch(launchOptions());

function median(values: number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!;
}

interface Load {
  script_bytes: number;
  bytes: number;
  ready_ms: number;
}

/** Opens an address; ready once what it shows is there. */
async function load(page: Page, path: string): Promise<Load> {
  const started_at = performance.now();
  await page.goto(path, { waitUntil: 'commit' });
  await settled(page);
  const ready_ms = performance.now() - started_at;
  const sent = await page.evaluate(() =>
    (performance.getEntriesByType('resource') as PerformanceResourceTiming[]).map((each) => ({
      name: each.name,
      bytes: each.transferSize,
    })),
  );
  const sum = (of: typeof sent) => of.reduce((total, { bytes }) => total + bytes, 0);
  return {
    script_bytes: sum(sent.filter(({ name }) => name.endsWith('.js'))),
    bytes: sum(sent),
    ready_ms,
  };
}

const town = await buildTown(electric);
const paths = { overview: '/', property: `/properties/${town.property_id}`, sign_in: '/sign-in' };
for (const [name, path] of Object.entries(paths)) {
  const firsts: Load[] = [];
  const repeats: Load[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const { page, close } = await openPage(browser, electric, { size: 'phone' });
    if (name !== 'sign_in') await signIn(page, town.owner);
    const session = await page.context().newCDPSession(page);
    await session.send('Network.clearBrowserCache');
    await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
    firsts.push(await load(page, path));
    repeats.push(await load(page, path));
    await close();
  }
  for (const [kind, loads] of [
    ['first', firsts],
    ['repeat', repeats],
  ] as const) {
    const { script_bytes, bytes } = loads[0]!;
    const ready_ms = Math.round(median(loads.map((each) => each.ready_ms)));
    process.stdout.write(
      `${name}, ${kind} load: ${ready_ms} ms until usable (CPU ÷ 4), ${(script_bytes / 1000).toFixed(1)} KB of scripts, ${(bytes / 1000).toFixed(1)} KB in all\n`,
    );
  }
}

/** A year in 330 bars of four parts each, from the choice to the picture, on a machine that is not slowed down. */
const { page } = await openPage(browser, electric);
await signIn(page, town.owner, `/properties/${town.property_id}?unit=year&on=2009-01-01`);
await page.getByLabel('Each bar').selectOption('day');
await page.getByLabel('Each bar').selectOption('month');
const drawn_ms = await page.evaluate(
  () =>
    new Promise<number>((resolve) => {
      const picture = document.querySelector('svg[role=img]')!;
      const bars = document.querySelector<HTMLSelectElement>('select:has(option[value=day])')!;
      const started_at = performance.now();
      new MutationObserver(() => {
        if (document.querySelectorAll('svg[role=img] g > title').length < 300) return;
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - started_at)));
      }).observe(picture.parentElement!, { childList: true, subtree: true });
      bars.value = 'day';
      bars.dispatchEvent(new Event('change', { bubbles: true }));
    }),
);
process.stdout.write(`a year by day, 365 bars, picture and table: ${Math.round(drawn_ms)} ms\n`);
await browser.close();
await electric.stop();
