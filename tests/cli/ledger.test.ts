/** electric ledger: verify, export, recompute, as processes of their own. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/server/db/connect.ts';
import { ENGINES } from '../support/engines.ts';
import { standalone } from '../support/verifier.ts';
import { freshLedger, type Ledger, run } from './support.ts';

describe.each(ENGINES)('electric ledger on %s', (engine) => {
  let ledger: Ledger;
  let folder: string;
  const electric = (...args: string[]) => run(args, ledger.env);
  beforeAll(async () => {
    ledger = await freshLedger(engine);
    folder = mkdtempSync(join(tmpdir(), 'electric-ledger-'));
    await electric('user', 'create', '--email', 'astrid@example.com');
    const { code } = await electric('demo', '--json');
    expect(code).toBe(0);
  }, 120_000);
  afterAll(async () => {
    await ledger.drop();
    rmSync(folder, { recursive: true });
  });

  test('export, then verify offline and on the server: the same head', async () => {
    const file = join(folder, 'ledger.ndjson');
    const written = await electric('ledger', 'export', '--property', 'House in Sceaux', '--output', file);
    expect(written).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining(file) });
    expect(readdirSync(folder)).toEqual(['ledger.ndjson']);
    const piped = await electric('ledger', 'export', '--property', 'House in Sceaux');
    expect(piped.code).toBe(0);
    expect(piped.stdout).toBe(readFileSync(file, 'utf8'));

    const here = await run(['ledger', 'verify', file, '--json']);
    const there = await electric('ledger', 'verify', '--property', 'House in Sceaux', '--json');
    expect([here.code, there.code]).toEqual([0, 0]);
    const { property_id: _, ...found } = there.json();
    expect(here.json()).toEqual(found);
    expect(found).toMatchObject({ verified: true, fault: null });
    expect(found.entries).toBeGreaterThan(1000);
    expect(await standalone(readFileSync(file), found.head.hash)).toMatchObject({ code: 0 });

    writeFileSync(file, readFileSync(file, 'utf8').replace('"import"', '"manual"'));
    const changed = await run(['ledger', 'verify', file]);
    expect(changed).toMatchObject({ code: 1, stdout: expect.stringMatching(/^FAULT: batch 1/) });
  });

  test('recompute --check: nothing; after damage the difference and 1; recompute mends it', async () => {
    const sound = await electric('ledger', 'recompute', '--check', '--json');
    expect(sound).toMatchObject({ code: 0, stderr: '' });
    expect(sound.json()).toMatchObject({ difference: null });
    const db = await connect(ledger.env.DATABASE_URL);
    await db.write((tx) =>
      sql`UPDATE readings SET energy_wh = energy_wh + 1 WHERE entry_id = 100`.execute(tx),
    );
    await db.close();
    const damaged = await electric('ledger', 'recompute', '--check');
    expect(damaged).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^DIFFERENCE: .*entry 100\) has energy_wh/),
    });
    expect(await electric('ledger', 'recompute')).toMatchObject({ code: 0 });
    expect(await electric('ledger', 'recompute', '--check')).toMatchObject({ code: 0 });
  });
});

test.each([
  ['neither a file nor a property', ['verify']],
  ['both', ['verify', 'x.ndjson', '--property', '1']],
  ['nobody', ['verify', '--property', '1']],
  ['two documents on one output', ['export', '--property', '1', '--username', 'a', '--json']],
])('%s: 2', async (_, args) => {
  expect(await run(['ledger', ...args])).toMatchObject({ code: 2, stdout: '' });
});

test('a file that is not there, and one that is none: 1', async () => {
  expect(await run(['ledger', 'verify', '/nowhere/x'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/no such file/),
  });
});
