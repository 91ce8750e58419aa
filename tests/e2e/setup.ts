/** Once for all browser tests: the built server and app as people get them, and a browser. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import type { TestProject } from 'vitest/node';
import { launchOptions } from './chromium.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the running browser listens. */
    browserUrl: string;
  }
}

export function buildAll(): void {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  execFileSync(process.execPath, ['scripts/build.ts'], { cwd: root, stdio: 'inherit' });
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  buildAll();
  const server = await chromium.launchServer(launchOptions());
  project.provide('browserUrl', server.wsEndpoint());
  return () => server.close();
}
