/** The chain as it is shown: batches, verification, the proof file, the proof of one reading. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { expectProblem } from '../support/problem.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { offline, standalone } from '../support/verifier.ts';

const NOW = '2026-06-15T12:00:00.250Z';
const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}T00:00:00Z`;
/** Everything that writing JSON can get wrong. */
const NOTE = 'å "quoted" \\ back/slash\n\ttab \u007f \u2028\u2029 \ufeff 𝛼 <b>'.replace('\u007f', '');

interface Batch {
  id: number;
  property_id: number;
  sequence: number;
  recorded_by_user_id: number;
  recorded_by_api_key_id: number | null;
  source: string;
  created_at: string;
  entry_count: number;
  merkle_root: string;
  hash: string;
}

interface ListedBatch extends Batch {
  recorded_by: string;
  recorded_by_api_key: string | null;
}

/** The hash of a batch, put together by hand. */
function chained(previous: string, batch: Batch): string {
  const { id, property_id, sequence, recorded_by_user_id, source, created_at, entry_count } = batch;
  const by = [recorded_by_user_id, batch.recorded_by_api_key_id];
  const header = ['electric-batch-1', id, property_id, sequence, ...by, source];
  return createHash('sha256')
    .update(Uint8Array.of(2))
    .update(Buffer.from(previous, 'hex'))
    .update(JSON.stringify([...header, Date.parse(created_at), entry_count]))
    .update(Buffer.from(batch.merkle_root, 'hex'))
    .digest('hex');
}

describe.each(ENGINES)('the ledger on %s', (engine) => {
  let server: TestServer;
  let house: House;
  let empty: House;
  /** How many batches and entries the story below writes. */
  const BATCHES = 12;
  let entries: number;
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => Date.parse(NOW) });
    house = await newHouse(server);
    empty = await newHouse(server, { owner: house.owner });
    const { main_id } = house;
    const kitchen = await house.submeter('kitchen', { device: { digits: 5, serial_number: 'Å-1' } });
    const first = await house.given(main_id, day(1), '100', { note: NOTE });
    await house.patch(`/api/readings/${first}`, { value: '99', reason: NOTE });
    const more = { reading_type: 'relative', period_start: day(1) };
    const second = await house.given(kitchen, day(2), '5.125', more);
    await server.call('DELETE', `/api/readings/${second}?reason=wrong+meter`, { token: house.owner.token });
    const undone = await ledger('');
    await house.post(`/api/properties/${house.property_id}/ledger/${undone.items[0]!.id}/undo`, {
      reason: 'wrong meter',
    });
    const replaced = { replaced_at: day(3), final_value: '150', initial_value: '0', multiplier: 30 };
    await house.post(`/api/meters/${main_id}/replacements`, replaced);
    await house.post('/api/readings/bulk', {
      property_id: house.property_id,
      reading_timestamp: day(4),
      main_meter_value: '1',
      submeter_readings: { kitchen: '99990' },
    });
    const down = await house.given(kitchen, day(5), '50000');
    await house.post(`/api/readings/${down}/rollover`, { digits: 5 });
    await house.given(empty.main_id, day(1), '1');
    const lines = Array.from({ length: 11 }, (_, i) => `${day(10 + i)},${2 + i}\n`);
    await server.call('POST', `/api/readings/import?property_id=${house.property_id}`, {
      token: house.owner.token,
      body: `timestamp,Main meter\n${lines.join('')}`,
      headers: { 'content-type': 'text/csv' },
    });
    await house.given(main_id, '1965-01-01T00:00:00Z', '0');
    entries = 1 + 1 + 1 + 1 + 1 + 1 + 1 + 2 + 1 + 1 + 11 + 1;
    empty = await newHouse(server, { owner: house.owner });
  });
  afterAll(() => server.close());

  async function ledger(query: string): Promise<{ items: ListedBatch[] } & Record<string, never>> {
    return (await house.get(`/api/properties/${house.property_id}/ledger${query}`)).body;
  }
  const verify = async (of = house) => (await of.get(`/api/properties/${of.property_id}/ledger/verify`)).body;
  const exported = (of = house) => of.get(`/api/properties/${of.property_id}/ledger/export`);
  const head = async () => (await ledger('?limit=1')).items[0]!;
  /** Every entry id of the house, from its proof file. */
  async function entryLines(): Promise<string[]> {
    return (await exported()).body.split('\n').filter((line: string) => line.startsWith('{"leaf_hash"'));
  }

  test('the batches, newest first, page by page', async () => {
    const all = await ledger('');
    expect(all).toMatchObject({ total: BATCHES, limit: 100, offset: 0 });
    expect(all.items.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: BATCHES }, (_, i) => BATCHES - i),
    );
    expect(all.items[1]).toEqual({
      id: expect.any(Number),
      property_id: house.property_id,
      sequence: BATCHES - 1,
      recorded_by_user_id: house.owner.id,
      recorded_by: house.owner.username,
      recorded_by_api_key_id: null,
      recorded_by_api_key: null,
      source: 'import',
      created_at: NOW,
      entry_count: 11,
      merkle_root: expect.stringMatching(/^[0-9a-f]{64}$/),
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(await ledger('?limit=2&offset=3')).toEqual({
      items: all.items.slice(3, 5),
      total: BATCHES,
      limit: 2,
      offset: 3,
      next_cursor: expect.any(String),
    });
    const of_nothing = await empty.get(`/api/properties/${empty.property_id}/ledger`);
    expect(of_nothing.body).toEqual({ items: [], total: 0, limit: 100, offset: 0, next_cursor: null });
  });

  test('verified: as many batches and entries as were recorded, and the head', async () => {
    const { sequence, hash } = await head();
    expect(await verify()).toEqual({
      property_id: house.property_id,
      verified: true,
      batches: BATCHES,
      entries,
      head: { sequence, hash },
      fault: null,
    });
    expect(await verify(empty)).toEqual({
      property_id: empty.property_id,
      verified: true,
      batches: 0,
      entries: 0,
      head: null,
      fault: null,
    });
  });

  test('more batches than are looked at in one go', async () => {
    const busy = await newHouse(server, { owner: house.owner });
    for (let i = 0; i < 203; i++)
      await busy.given(busy.main_id, new Date(Date.parse(day(1)) + i * 1000).toISOString(), '1');
    expect(await verify(busy)).toMatchObject({ verified: true, batches: 203, entries: 203 });
    const { code, said } = await standalone((await exported(busy)).body);
    expect([code, said]).toEqual([0, expect.stringContaining('203 batches, 203 entries')]);
  });

  test('the proof file holds for both verifiers, and through every hash it ever had', async () => {
    const { status, headers, body } = await exported();
    expect([status, headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
    expect(headers.get('content-disposition')).toBe(
      `attachment; filename="ledger-${house.property_id}.ndjson"`,
    );
    const { hash } = await head();
    const alone = await standalone(body);
    expect(alone).toEqual({
      code: 0,
      said:
        `The chain of property ${house.property_id} holds: ${BATCHES} batches, ${entries} entries.\n` +
        `head: ${hash} (batch ${BATCHES})\nCompare the head with one that you hold.\n`,
    });
    expect(await offline(body)).toEqual({
      code: 0,
      said: `The chain holds: ${BATCHES} batches, ${entries} entries checked.\nHead: ${hash} (batch ${BATCHES})\n`,
    });
    const { items } = await ledger('');
    for (const held of [items[0]!, items.at(-1)!]) expect((await standalone(body, held.hash)).code).toBe(0);
    expect(await standalone(body, 'ab'.repeat(32))).toMatchObject({ code: 1 });
  });

  test('of an empty ledger the proof file is empty, and holds', async () => {
    const { body } = await exported(empty);
    expect(body).toBe('');
    expect(await standalone(body)).toEqual({ code: 0, said: 'The ledger is empty: no batches.\n' });
    expect(await offline(body)).toEqual({ code: 0, said: 'The ledger is empty.\n' });
  });

  test('a file that is cut anywhere does not hold, unless a whole batch is gone: then the head does not', async () => {
    const { body } = await exported();
    const { hash } = await head();
    const last = body.lastIndexOf('{"id":');
    expect(await standalone(body.slice(0, last))).toMatchObject({ code: 0 });
    expect(await standalone(body.slice(0, last), hash)).toMatchObject({ code: 1 });
    for (const end of [body.length - 1, body.length - 9, last + 10, body.indexOf('\n') + 1]) {
      expect(await standalone(body.slice(0, end))).toMatchObject({ code: 1 });
      expect(await offline(body.slice(0, end))).toMatchObject({ code: 1 });
    }
  });

  test('two heads: the batches between lead from one to the other, and every hash can be made by hand', async () => {
    const items = (await ledger('')).items.reverse();
    let hash = '0'.repeat(64);
    for (const batch of items) {
      hash = chained(hash, batch);
      expect(hash).toBe(batch.hash);
    }
    const [older, newer] = [items[4]!, items.at(-1)!];
    expect(items.slice(5).reduce(chained, older.hash)).toBe(newer.hash);
    expect(items.slice(6).reduce(chained, older.hash)).not.toBe(newer.hash);
  });

  test('each reading is proven, against the head and every hash since', async () => {
    const lines = await entryLines();
    expect(lines.length).toBe(entries);
    const { items } = await ledger('');
    let proven = 0;
    for (const line of lines) {
      const canonical = line.slice(88, -1);
      const [, id, , batch_id, , kind] = JSON.parse(canonical);
      const answer = await house.get(`/api/readings/${id}/proof`);
      if (kind === 'device') {
        expectProblem(answer, 'not_found');
        continue;
      }
      expect(answer.status).toBe(200);
      expect(answer.body.entry).toBe(canonical);
      const at = items.findIndex((batch) => batch.id === batch_id);
      const headers = items.slice(0, at + 1).map(({ recorded_by, recorded_by_api_key, ...header }) => header);
      expect(answer.body.batches).toEqual(headers.reverse());
      const verdict = await standalone(JSON.stringify(answer.body), items[0]!.hash);
      expect(verdict).toMatchObject({ code: 0, said: expect.stringContaining(canonical) });
      const older = items[at + 1];
      if (older) {
        expect(answer.body.previous_hash).toBe(older.hash);
        // A head from before the reading proves nothing of it.
        if (proven % 5 === 0)
          expect(await standalone(JSON.stringify(answer.body), older.hash)).toMatchObject({ code: 1 });
      }
      proven += 1;
    }
    expect(proven).toBe(entries - 2);
  });

  test('a proof shows nothing of the other readings', async () => {
    const [line] = (await entryLines()).filter((each) => JSON.parse(each).entry[6] === Date.parse(day(12)));
    const { body } = await house.get(`/api/readings/${JSON.parse(line!).entry[1]}/proof`);
    // Eleven leaves: four levels, and this one has a sibling on each.
    expect(body.path.length).toBe(4);
    expect(JSON.stringify(body).match(/electric-entry-1/g)).toHaveLength(1);
  });

  test('a changed proof proves nothing', async () => {
    const [line] = (await entryLines()).filter((each) => JSON.parse(each).entry[6] === Date.parse(day(12)));
    const { body } = await house.get(`/api/readings/${JSON.parse(line!).entry[1]}/proof`);
    const { hash } = await head();
    const flip = (text: string) => text.replace(/^./, (c) => (c === 'a' ? 'b' : 'a'));
    const other = { left: 'right', right: 'left' } as Record<string, string>;
    const [step, ...steps] = body.path;
    const [batch, ...later] = body.batches;
    const changes: [string, object][] = [
      ['the value', { entry: body.entry.replace(',4000,', ',4001,') }],
      ['a space', { entry: body.entry.replace(',4000,', ', 4000,') }],
      ['a side', { path: [{ ...step, side: other[step.side] }, ...steps] }],
      ['a sibling', { path: [{ ...step, hash: flip(step.hash) }, ...steps] }],
      ['a step less', { path: steps }],
      ['the previous hash', { previous_hash: flip(body.previous_hash) }],
      ['the author', { batches: [{ ...batch, recorded_by_user_id: 999 }, ...later] }],
      ['the time', { batches: [{ ...batch, created_at: day(1) }, ...later] }],
      ['the root', { batches: [{ ...batch, merkle_root: flip(batch.merkle_root) }, ...later] }],
      ['the hash', { batches: [{ ...batch, hash: flip(batch.hash) }, ...later] }],
      ['a batch less', { batches: [batch] }],
      ['another batch first', { batches: later }],
      ['no batches', { batches: [] }],
    ];
    expect((await standalone(JSON.stringify(body), hash)).code).toBe(0);
    for (const [what, change] of changes) {
      const changed = JSON.stringify({ ...body, ...change });
      expect(changed).not.toBe(JSON.stringify(body));
      expect([what, (await standalone(changed, hash)).code]).toEqual([what, 1]);
    }
    expect((await standalone(JSON.stringify(body, null, 2), hash)).code).toBe(0);
    expect((await standalone(JSON.stringify(body))).code).toBe(2);
  });

  test('notes and reasons stand in the proof file as they were written', async () => {
    const [, first] = await entryLines();
    expect(JSON.parse(first!).entry[15]).toBe(NOTE.trim().normalize('NFC'));
  });
});
