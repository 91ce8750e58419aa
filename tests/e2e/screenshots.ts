/** Draws every screen on a phone and a desk, light and dark, into a folder: npm run screenshots [-- folder [name …]] */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { type Look, openPage, SIZES, settled, signIn, THEMES } from './browser.ts';
import { launchOptions } from './chromium.ts';
import { startElectric } from './electric.ts';
import { buildTown, SCENES, type Scene } from './scenes.ts';
import { buildAll } from './setup.ts';

const [folder = 'data/screenshots', ...wanted] = process.argv.slice(2);
const scenes = SCENES.filter(
  ({ name }) => wanted.length === 0 || wanted.some((each) => name.startsWith(each)),
);

buildAll();
mkdirSync(folder, { recursive: true });
const electric = await startElectric();
const browser = await chromium.launch(launchOptions());

/** Makes the window as high as the page, so that what sticks to its lower edge stands below everything. */
async function stretch(page: Page, { size }: Look): Promise<void> {
  const { width, height } = SIZES[size!];
  const content = Number(await page.evaluate('document.documentElement.scrollHeight'));
  await page.setViewportSize({ width, height: Math.max(height, content) });
}

/** One page for each account and look: signing in once for all its scenes. */
async function draw(look: Look, as: Scene['as'], scenesOf: readonly Scene[]): Promise<void> {
  const { page, close } = await openPage(browser, electric, look);
  if (as) await signIn(page, town[as]);
  for (const scene of scenesOf) {
    await scene.before?.(page);
    await page.goto(scene.path(town));
    await settled(page);
    await scene.after?.(page);
    await stretch(page, look);
    const path = join(folder, `${scene.name}-${look.size}-${look.theme}.png`);
    await page.screenshot({ path });
    await page.setViewportSize(SIZES[look.size!]);
    await page.unrouteAll();
  }
  await close();
}

const town = await buildTown(electric);
try {
  for (const size of Object.keys(SIZES) as (keyof typeof SIZES)[]) {
    for (const theme of THEMES) {
      for (const as of [undefined, 'newcomer', 'owner', 'tenant'] as const) {
        await draw(
          { size, theme },
          as,
          scenes.filter((scene) => scene.as === as),
        );
      }
    }
  }
} finally {
  await browser.close();
  await electric.stop();
}
process.stdout.write(`${scenes.length * 4} screenshots in ${folder}\n`);
