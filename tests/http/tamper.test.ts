/** Whatever is changed behind the ledger's back, in the database or in a proof file, is found and named. */
import { hash } from 'node:crypto';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChainCheck, checkLine } from '../../src/core/chain-check.ts';
import { verifyChain } from '../../src/server/ledger/chain.ts';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { tamper, tampered } from '../support/ledger.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { offline, standalone } from '../support/verifier.ts';

const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}T00:00:00Z`;

interface Row {
  id: number;
  batch_id: number;
  sequence: number;
  [column: string]: number | string | Uint8Array | null;
}

/** A literal of SQL that is not what is stored, as near to it as can be. */
function other(engine: string, column: string, value: Row[string]): string[] {
  if (column === 'leaf_hash') {
    const bytes = value as Uint8Array;
    return [0, 17, 31].map((at) => {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 1;
      const hex = flipped.toString('hex');
      return engine === 'sqlite' ? `x'${hex}'` : `'\\x${hex}'`;
    });
  }
  // Far from every other id, where ids are unique.
  if (/^(id|batch_id|supersedes_id)$/.test(column)) return [String((value as number) + 1000)];
  if (typeof value === 'number') return [String(value + 1), String(value - 1)];
  if (typeof value === 'string') {
    const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
    return [quoted(`${value} `), quoted(value.replace(/.$/u, (c) => (c === 'a' ? 'b' : 'a')))];
  }
  return ['kind', 'serial_number', 'note', 'reason'].includes(column) ? ["''", "'a'"] : ['0', '1'];
}

/** The same check as the command line, without a process for each. */
function checkText(text: string): boolean {
  const sha256 = (bytes: Uint8Array) => hash('sha256', bytes, 'buffer');
  if (!text.endsWith('\n')) return false;
  const check = new ChainCheck(sha256);
  for (const line of text.slice(0, -1).split('\n')) checkLine(check, line);
  check.end();
  return check.fault === null;
}

describe.each(ENGINES)('tampering on %s', (engine) => {
  let server: TestServer;
  let house: House;
  let file: string;
  let rows: Row[];
  let batches: (Row & { hash: string })[];
  beforeAll(async () => {
    server = await startServer(engine);
    house = await newHouse(server);
    const { main_id, property_id } = house;
    await house.submeter('kitchen', { device: { digits: 5, serial_number: 'A-1' } });
    const first = await house.given(main_id, day(1), '100', { note: 'å "left"' });
    await house.patch(`/api/readings/${first}`, { value: '99', reason: 'misread' });
    await house.post('/api/readings/bulk', {
      property_id,
      reading_timestamp: day(4),
      main_meter_value: '120',
      submeter_readings: { kitchen: '5' },
    });
    const replaced = { replaced_at: day(5), final_value: '150', initial_value: '0', multiplier: 30 };
    await house.post(`/api/meters/${main_id}/replacements`, replaced);
    const more = { reading_type: 'relative', period_start: day(5), note: 'x' };
    const last = await house.given(main_id, day(6), '2', more);
    await server.call('DELETE', `/api/readings/${last}?reason=wrong+meter`, { token: house.owner.token });
    const elsewhere = await newHouse(server, { owner: house.owner });
    await elsewhere.given(elsewhere.main_id, day(1), '1');
    file = (await house.get(`/api/properties/${property_id}/ledger/export`)).body;
    const found = await sql<Row>`
      SELECT e.*, b.sequence FROM ledger_entries AS e JOIN batches AS b ON b.id = e.batch_id
      WHERE b.property_id = ${property_id} ORDER BY b.sequence, e.id`.execute(server.db.read);
    rows = found.rows;
    const chain = await sql<Row & { hash: string }>`
      SELECT * FROM batches WHERE property_id = ${property_id} ORDER BY sequence`.execute(server.db.read);
    batches = chain.rows;
  });
  afterAll(() => server.close());

  const verify = async () => (await house.get(`/api/properties/${house.property_id}/ledger/verify`)).body;
  const tamperedWith = (...statements: string[]) =>
    tampered(engine, server.db, statements, (tx) => verifyChain(tx, house.property_id));

  test('untouched, everything holds', async () => {
    expect(await tamperedWith()).toMatchObject({ verified: true, batches: 7, entries: 8 });
    expect(await standalone(file)).toMatchObject({ code: 0 });
    expect(checkText(file)).toBe(true);
  });

  test('any column of any entry: the batch and the entry are named', async () => {
    let changes = 0;
    for (const { sequence, ...row } of rows) {
      for (const [column, value] of Object.entries(row)) {
        for (const literal of other(engine, column, value)) {
          const what = `UPDATE ledger_entries SET ${column} = ${literal} WHERE id = ${row.id}`;
          const { verified, fault } = await tamperedWith(what);
          expect({ what, verified }).toEqual({ what, verified: false });
          changes += 1;
          if (column === 'batch_id') {
            expect({ what, fault }).toEqual({
              what,
              fault: {
                sequence,
                batch_id: row.batch_id,
                entry_id: null,
                detail: expect.stringContaining('entries'),
              },
            });
            continue;
          }
          const named = {
            sequence,
            batch_id: row.batch_id,
            entry_id: column === 'id' ? Number(literal) : row.id,
          };
          expect({ what, fault }).toEqual({
            what,
            fault: { ...named, detail: expect.stringContaining(`entry ${named.entry_id}`) },
          });
        }
      }
    }
    expect(changes).toBeGreaterThan(8 * 18);
  });

  test('any column of any batch: the batch is named', async () => {
    for (const { id, sequence, ...header } of batches) {
      for (const [column, value] of Object.entries({ sequence, ...header })) {
        for (const literal of other(engine, column, value as Row[string])) {
          const far = column === 'sequence' || column === 'property_id' ? `${literal} + 1000` : literal;
          const what = `UPDATE batches SET ${column} = ${far} WHERE id = ${id}`;
          const { verified, fault, batches: held } = await tamperedWith(what);
          // The newest batch, taken out of the chain, is missed by those who hold its head alone.
          if (far !== literal && sequence === batches.length && column === 'property_id') {
            expect([what, verified, held]).toEqual([what, true, sequence - 1]);
            continue;
          }
          expect({ what, verified, held }).toEqual({ what, verified: false, held: sequence - 1 });
          if (far === literal) expect(fault).toMatchObject({ sequence, batch_id: id });
        }
      }
    }
  });

  test('a batch dropped, repeated, moved; an entry dropped, added, moved', async () => {
    const [, second, third, fourth] = batches;
    const pair = rows.filter(({ sequence }) => sequence === 4);
    const drop = (batch: Row) => [
      `DELETE FROM ledger_entries WHERE batch_id = ${batch.id}`,
      `DELETE FROM batches WHERE id = ${batch.id}`,
    ];
    const columns = Object.keys(rows[0]!).filter(
      (column) => !['id', 'sequence', 'leaf_hash'].includes(column),
    );
    const cases: [string, string[], object][] = [
      ['dropped', drop(second!), { sequence: 3, detail: 'batch 3 stands where batch 2 should' }],
      [
        'dropped, and the others moved up',
        [
          ...drop(second!),
          ...[3, 4, 5, 6, 7].map(
            (n) =>
              `UPDATE batches SET sequence = ${n - 1} WHERE property_id = ${house.property_id} AND sequence = ${n}`,
          ),
        ],
        { sequence: 2, batch_id: third!.id },
      ],
      [
        'exchanged',
        [
          `UPDATE batches SET sequence = 99 WHERE id = ${third!.id}`,
          `UPDATE batches SET sequence = 3 WHERE id = ${fourth!.id}`,
          `UPDATE batches SET sequence = 4 WHERE id = ${third!.id}`,
        ],
        { sequence: 3, batch_id: fourth!.id },
      ],
      [
        'repeated',
        [
          `INSERT INTO batches (id, property_id, sequence, recorded_by_user_id, source, created_at, entry_count,
             merkle_root, hash)
           SELECT 4711, property_id, 8, recorded_by_user_id, source, created_at, entry_count, merkle_root, hash
           FROM batches WHERE id = ${second!.id}`,
        ],
        { sequence: 8, batch_id: 4711 },
      ],
      [
        'without entries',
        [
          `DELETE FROM ledger_entries WHERE batch_id = ${second!.id}`,
          `UPDATE batches SET entry_count = 0 WHERE id = ${second!.id}`,
        ],
        { sequence: 2, batch_id: second!.id, detail: expect.stringContaining('no entries') },
      ],
      [
        'an entry dropped',
        [`DELETE FROM ledger_entries WHERE id = ${pair[0]!.id}`],
        { sequence: 4, detail: 'batch 4 has 1 entries, its header says 2' },
      ],
      [
        'an entry added',
        [
          `INSERT INTO ledger_entries (id, ${columns.join()}, leaf_hash)
           SELECT 4711, ${columns.join().replace('supersedes_id', 'NULL')}, leaf_hash FROM ledger_entries WHERE id = ${pair[0]!.id}`,
        ],
        {
          sequence: 4,
          detail: 'entry 4711 of batch 4 is not what was recorded: its leaf hash differs',
        },
      ],
      [
        'an entry moved to another batch',
        [`UPDATE ledger_entries SET batch_id = ${second!.id} WHERE id = ${pair[0]!.id}`],
        {
          sequence: 2,
          detail: `entry ${pair[0]!.id} of batch 2 is not what was recorded: its leaf hash differs`,
        },
      ],
    ];
    for (const [what, statements, fault] of cases) {
      const found = await tamperedWith(...statements);
      expect([what, found.fault]).toEqual([what, expect.objectContaining(fault)]);
    }
  });

  test('an entry with its own hash made right again: the root still tells', async () => {
    const { id, batch_id, sequence } = rows[1]!;
    const forged = await tampered(
      engine,
      server.db,
      [`UPDATE ledger_entries SET value_wh = 1 WHERE id = ${id}`],
      async (tx) => {
        const { canonicalEntry, leafHash, toHex } = await import('../../src/core/chain.ts');
        const { rows: changed } = await sql<never>`SELECT * FROM ledger_entries WHERE id = ${id}`.execute(tx);
        const leaf = toHex(leafHash((bytes) => hash('sha256', bytes, 'buffer'), canonicalEntry(changed[0]!)));
        const literal = engine === 'sqlite' ? `x'${leaf}'` : `'\\x${leaf}'`;
        await sql.raw(`UPDATE ledger_entries SET leaf_hash = ${literal} WHERE id = ${id}`).execute(tx);
        return verifyChain(tx, house.property_id);
      },
    );
    expect(forged.fault).toEqual({
      sequence,
      batch_id,
      entry_id: null,
      detail: expect.stringContaining('Merkle root'),
    });
  });

  test('another property’s ledger is not concerned', async () => {
    const { id } = rows[0]!;
    const found = await tampered(
      engine,
      server.db,
      [`UPDATE ledger_entries SET value_wh = 1 WHERE id = ${id}`],
      (tx) => verifyChain(tx, house.property_id + 1),
    );
    expect(found).toMatchObject({ verified: true, batches: 1 });
  });

  describe('in the proof file', () => {
    const parts = () => file.split(/(?=\{"id":)/);
    async function expectFault(changed: string, said: RegExp): Promise<void> {
      const verdicts = await Promise.all([standalone(changed), offline(changed)]);
      for (const { code, said: words } of verdicts) {
        expect(code).toBe(1);
        expect(words).toMatch(said);
      }
    }

    test('a changed value: both verifiers name the batch and the entry', async () => {
      const { id } = rows[1]!;
      const changed = file.replace(',100000,', ',100001,');
      expect(changed).not.toBe(file);
      await expectFault(
        changed,
        new RegExp(`^FAULT: (batch 2 .*\\(id ${id}\\)|entry ${id} ).*not what was recorded`),
      );
    });

    test('a changed author', async () => {
      const changed = file.replace(
        /"sequence":3,"recorded_by_user_id":\d+/,
        '"sequence":3,"recorded_by_user_id":999',
      );
      await expectFault(changed, /batch 3.*the hash differs/);
    });

    test('a batch dropped, repeated, moved', async () => {
      const [first, second, third, ...rest] = parts() as [string, string, string];
      await expectFault([first, third, ...rest].join(''), /batch 3 stands where batch 2 should/);
      await expectFault([second, third, ...rest].join(''), /batch 2 stands where batch 1 should/);
      await expectFault(
        [first, second, second, third, ...rest].join(''),
        /batch 2 stands where batch 3 should/,
      );
      await expectFault([first, third, second, ...rest].join(''), /batch 3 stands where batch 2 should/);
    });

    test('an entry dropped, repeated, exchanged', async () => {
      const lines = file.split('\n');
      const at = lines.findIndex((line) => line.includes('"entry_count":2')) + 1;
      const [one, two] = [lines[at]!, lines[at + 1]!];
      const put = (...entries: string[]) => lines.toSpliced(at, 2, ...entries).join('\n');
      await expectFault(put(one), /batch 4.* has 1 entries, its header says 2/);
      await expectFault(put(one, two, two), /batch 4/);
      await expectFault(put(two, one), /batch 4/);
    });

    test('what is no proof file', async () => {
      await expectFault('hello\n', /batch 1/);
      await expectFault('{}\n', /batch 1/);
      await expectFault('null\n', /batch 1/);
      await expectFault(`${file}\n`, /batch [78]/);
      await expectFault(`\ufeff${file}`, /batch 1/);
      await expectFault(file.replaceAll('\n', '\r\n'), /batch 1/);
    });

    test('any bit, wherever it is', async () => {
      const bytes = Buffer.from(file);
      const flipped = fc.tuple(fc.nat(bytes.length - 1), fc.nat(7)).map(([at, bit]) => {
        const changed = Buffer.from(bytes);
        changed[at]! ^= 1 << bit;
        return changed;
      });
      fc.assert(
        fc.property(flipped, (changed) => {
          let text: string;
          try {
            text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(changed);
          } catch {
            return;
          }
          expect(checkText(text)).toBe(false);
        }),
        { numRuns: 2000 },
      );
      await fc.assert(
        fc.asyncProperty(flipped, async (changed) => {
          expect(await standalone(changed)).toMatchObject({ code: 1 });
        }),
        { numRuns: 15 },
      );
    });
  });

  test('over HTTP, and for good: verify says so from then on', async () => {
    const { id, batch_id, sequence } = rows[2]!;
    await tamper(engine, server.db, `UPDATE ledger_entries SET note = 'forged' WHERE id = ${id}`);
    expect(await verify()).toEqual({
      property_id: house.property_id,
      verified: false,
      batches: sequence - 1,
      entries: 2,
      head: { sequence: sequence - 1, hash: batches[sequence - 2]!.hash },
      fault: { sequence, batch_id, entry_id: id, detail: expect.stringContaining(`entry ${id}`) },
    });
    const forged = (await house.get(`/api/properties/${house.property_id}/ledger/export`)).body;
    expect(await standalone(forged)).toMatchObject({
      code: 1,
      said: expect.stringMatching(new RegExp(`batch ${sequence} .*\\(id ${id}\\)`)),
    });
    // Without lifting them, the triggers refuse.
    await expect(
      server.db.write((tx) => sql`UPDATE ledger_entries SET note = NULL WHERE id = ${id}`.execute(tx)),
    ).rejects.toThrow(/only ever added/);
  });
});
