/** For test files: one server each, one browser for all, and pages that fail the test for what they must not do. */
import { chromium, type Page } from 'playwright-core';
import { expect, inject } from 'vitest';
import { type Look, openPage } from './browser.ts';
import type { Electric } from './electric.ts';

export * from './browser.ts';
export * from './electric.ts';

export interface Visit extends Look {
  /** Errors in the console that belong to what is tested: a refused request is one. */
  expected?: RegExp;
}

/** Does something on a page of its own; fails for an error in the console or a request to elsewhere. */
export async function visit(
  electric: Electric,
  { expected, ...look }: Visit,
  what: (page: Page) => Promise<void>,
): Promise<void> {
  const browser = await chromium.connect(inject('browserUrl'));
  try {
    const { page, faults, close } = await openPage(browser, electric, look);
    await what(page);
    expect(faults.filter((fault) => !expected?.test(fault))).toEqual([]);
    await close();
  } finally {
    await browser.close();
  }
}
