/** Everything of a property as one archive, and back into an empty property: the same figures, the same trail. */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  batchHash,
  canonicalEntry,
  GENESIS_HASH,
  leafHash,
  merkleRoot,
  toHex,
} from '../../src/core/chain.ts';
import { batchLine, entryLine } from '../../src/core/chain-check.ts';
import { recompute } from '../../src/server/projection/recompute.ts';
import { zip } from '../../src/server/zip/zip.ts';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { join } from '../support/people.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';
import { everything } from '../support/tables.ts';
import { unzip } from '../support/unzip.ts';
import { offline, standalone } from '../support/verifier.ts';

const PHOTO = readFileSync(new URL('../files/photos/register.jpg', import.meta.url));
const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}T00:00:00Z`;
const sha256 = (bytes: Uint8Array) => hash('sha256', bytes, 'buffer');

async function zipped(files: Iterable<[string, string]>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of zip(
    [...files].map(([name, text]) => ({
      name,
      content: [name.endsWith('.jpg') ? Buffer.from(text, 'latin1') : text],
    })),
  ))
    chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function archive(server: TestServer, { property_id, owner }: House): Promise<Buffer> {
  const response = await fetch(`${server.origin}/api/properties/${property_id}/archive`, {
    headers: { authorization: `Bearer ${owner.token}` },
  });
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/zip']);
  return Buffer.from(await response.arrayBuffer());
}

function restore(server: TestServer, { property_id, owner }: House, body: Buffer) {
  const path = `/api/properties/${property_id}/archive`;
  return server.call('POST', path, {
    token: owner.token,
    body,
    headers: { 'content-type': 'application/zip' },
  });
}

/** A house in which everything has happened that a ledger can tell. */
async function livedIn(server: TestServer): Promise<House> {
  const house = await newHouse(server, { timezone: 'Europe/Stockholm' });
  const { main_id, property_id } = house;
  await house.patch(`/api/properties/${property_id}`, {
    address: 'Storgatan 1\n111 22 Å',
    share_totals_with_tenants: true,
  });
  const flat = await house.submeter('Lägenhet "1"', {
    location: 'källare',
    device: { digits: 4, serial_number: 'A-1' },
  });
  const fridge = await house.submeter('fridge', { parent_meter_id: flat });
  await house.submeter('sum', {
    sub_meter_kind: 'virtual',
    formula: [
      { meter: 'fridge', factor: '2' },
      { meter: 'Main meter', factor: '-0.5' },
    ],
  });
  const gone = await house.submeter('gone');
  const first = await house.given(main_id, day(1), '100', { note: 'å "left"\nline two' });
  await house.patch(`/api/readings/${first}`, { value: '99', reason: 'misread' });
  const pictured = await house.given(main_id, day(2), '150', { photo_sha256: hash('sha256', PHOTO, 'hex') });
  await server.call('POST', `/api/readings/${pictured}/photo`, {
    token: house.owner.token,
    body: PHOTO,
    headers: { 'content-type': 'image/jpeg' },
  });
  const wrong = await house.given(main_id, day(3), '151');
  await house.owner.client.voidReading({ reading_id: wrong, reason: 'never read' });
  await house.given(flat, day(1), '5000');
  const around = await house.given(flat, day(2), '10.5');
  await house.post(`/api/readings/${around}/rollover`, { digits: 4, reason: 'it went round' });
  await house.post(`/api/meters/${flat}/replacements`, {
    replaced_at: day(4),
    final_value: '20',
    initial_value: '3',
    multiplier: 40,
  });
  await house.given(flat, day(5), '4');
  const relative = { reading_type: 'relative', period_start: day(1) };
  await house.given(fridge, day(2), '1.5', relative);
  for (let n = 3; n < 9; n++) await house.given(fridge, day(n), '2', { reading_type: 'relative' });
  const burst = await house.given(fridge, day(9), '5000', { reading_type: 'relative' });
  await house.post(`/api/readings/${burst}/confirm`, { reason: 'sauna' });
  await house.given(gone, day(1), '7');
  const { batch_id } = (await house.record(gone, day(2), '8')).body;
  await house.post(`/api/properties/${property_id}/ledger/${batch_id}/undo`, { reason: 'not ours' });
  await house.owner.client.deleteMeter({ meter_id: gone });
  return house;
}

async function photo(client: Person['client'], reading_id: number): Promise<Buffer> {
  return buffer((await client.getPhoto({ reading_id })) as never);
}

/** What a house says, without what is its own on every server: ids and when it was recorded. */
async function told(house: House): Promise<unknown> {
  const { client } = house.owner;
  const { property_id } = house;
  const { items: meters } = await client.listMeters({ property_id, include_inactive: true });
  const names = new Map(meters.map(({ id, name }) => [id, name]));
  const own = (row: object) =>
    Object.fromEntries(
      Object.entries(row)
        .filter(([key]) => !/(^|_)id$|recorded_at|recorded_by|created_at|source/.test(key))
        .map(([key, value]) => [key, value]),
    );
  const period = { start_timestamp: day(1), end_timestamp: day(9) };
  return {
    property: own({ ...(await client.getProperty({ property_id })), display_name: '' }),
    meters: await Promise.all(
      meters.map(async (meter) => ({
        ...own(meter),
        parent: names.get(meter.parent_meter_id ?? 0),
        devices: (await client.listDevices({ meter_id: meter.id })).items.map(own),
        history:
          meter.sub_meter_kind === 'virtual'
            ? []
            : await Promise.all(
                (await client.getHistory({ meter_id: meter.id })).items.map(async (reading) => ({
                  ...own(reading),
                  photo: reading.photo_sha256 && hash('sha256', await photo(client, reading.id), 'hex'),
                  trail: (await client.listRevisions({ reading_id: reading.id })).items.map(own),
                })),
              ),
      })),
    ),
    consumption: JSON.parse(
      JSON.stringify(await client.getConsumption({ property_id, ...period })).replaceAll(
        /"(\w*_)?id":(\d+|null)/g,
        '"id":0',
      ),
    ),
  };
}

describe.each(ENGINES)('archives on %s', (engine) => {
  let server: TestServer;
  let house: House;
  let bytes: Buffer;
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => Date.parse('2026-06-15T12:00:00Z') });
    house = await livedIn(server);
    bytes = await archive(server, house);
  });
  afterAll(() => server.close());

  const fresh = () => newHouse(server, { owner: house.owner });

  test('what is in it', async () => {
    const tenant = await server.newPerson();
    await join(house, tenant, 'tenant', [house.main_id]);
    const files = unzip(await archive(server, house));
    expect([...files.keys()]).toEqual([
      'README.txt',
      'property.json',
      'ledger.ndjson',
      'readings.csv',
      `photos/${hash('sha256', PHOTO, 'hex')}.jpg`,
    ]);
    const ledger = files.get('ledger.ndjson')!;
    const said = JSON.parse(files.get('property.json')!);
    expect(await standalone(ledger, said.head.hash)).toMatchObject({ code: 0 });
    expect(await offline(ledger)).toMatchObject({ code: 0 });
    expect(said).toMatchObject({
      format: 'electric-archive-1',
      exported_at: '2026-06-15T12:00:00Z',
      property: { id: house.property_id, display_name: 'Villa Volt', timezone: 'Europe/Stockholm' },
    });
    expect(said.members).toEqual([
      { username: house.owner.username, role: 'owner', meter_ids: null, since: expect.any(String) },
      { username: tenant.username, role: 'tenant', meter_ids: [house.main_id], since: expect.any(String) },
    ]);
    expect(said.meters.map(({ name }: { name: string }) => name)).toEqual([
      'Main meter',
      'fridge',
      'gone',
      'Lägenhet "1"',
      'sum',
    ]);
    // Readings of what is deleted are in it too.
    expect(files.get('readings.csv')).toMatch(/,gone,sub_meter,7,/);
    expect(files.get('README.txt')).toContain('electric restore');
    await house.owner.client.removeMember({ property_id: house.property_id, user_id: tenant.id });
  });

  test('restored, it says the same, with the trail of every reading', async () => {
    const again = await fresh();
    const { status, body } = await restore(server, again, bytes);
    expect([status, body]).toEqual([
      201,
      expect.objectContaining({ property_id: again.property_id, meters: 5 }),
    ]);
    const said = JSON.stringify(await told(house));
    for (const word of ['misread', 'sauna', 'it went round', 'A-1']) expect(said).toContain(word);
    expect(await told(again)).toEqual(JSON.parse(said));
    const { items, total } = await again.owner.client.listBatches({ property_id: again.property_id });
    expect(total).toBe(1);
    expect(items[0]).toMatchObject({ id: body.batch_id, source: 'import', entry_count: body.entries });
    const verified = await again.owner.client.verifyLedger({ property_id: again.property_id });
    expect(verified).toMatchObject({ verified: true, entries: body.entries });
    const before = await house.owner.client.verifyLedger({ property_id: house.property_id });
    expect(body.archived_head).toEqual(before.head);
    const checked = await server.db.write((tx) => recompute(tx, 'check'));
    expect(checked.difference).toBeNull();
    // A trail cannot be undone at once.
    const undone = await again.post(`/api/properties/${again.property_id}/ledger/${body.batch_id}/undo`, {
      reason: 'no',
    });
    expectProblem(undone, 'batch_superseded');
    expect(undone.body.detail).toContain('restored an archive');
    // What was restored goes on.
    expect((await again.record(again.main_id, day(20), '200')).status).toBe(201);
  });

  test('an archive of what was restored is restored too, on the other engine', async () => {
    const once = await fresh();
    expect((await restore(server, once, bytes)).status).toBe(201);
    const other = await startServer(ENGINES.find((each) => each !== engine)!, {
      clock: () => Date.parse('2026-06-15T12:00:00Z'),
    });
    try {
      const there = await newHouse(other);
      expect((await restore(other, there, await archive(server, once))).status).toBe(201);
      expect(await told(there)).toEqual(await told(house));
    } finally {
      await other.close();
    }
  });

  test('an empty property is an archive too', async () => {
    const [from, to] = [await fresh(), await fresh()];
    const { status, body } = await restore(server, to, await archive(server, from));
    expect([status, body]).toEqual([
      201,
      {
        property_id: to.property_id,
        batch_id: null,
        meters: 1,
        entries: 0,
        readings: 0,
        archived_head: null,
      },
    ]);
  });

  test('packed anew in a folder it is the same; the meters that a deletion of the property took along come back', async () => {
    const gone = await newHouse(server, { owner: house.owner });
    const flat = await gone.submeter('flat');
    await gone.given(flat, day(1), '7');
    await gone.owner.client.deleteProperty({ property_id: gone.property_id, cascade: true });
    const files = unzip(await archive(server, gone));
    const to = await fresh();
    const again = await zipped([...files].map(([name, text]) => [`villa/${name}`, text]));
    expect((await restore(server, to, again)).body).toMatchObject({ meters: 2, readings: 1 });
    expect((await to.owner.client.listMeters({ property_id: to.property_id })).total).toBe(2);
  });

  test('only into what is empty', async () => {
    const read = await fresh();
    await read.given(read.main_id, day(1), '1');
    const metered = await fresh();
    await metered.submeter('flat');
    for (const full of [house, read, metered])
      expectProblem(await restore(server, full, bytes), 'property_not_empty');
  });

  describe('refused, with nothing changed', () => {
    type Said = { meters: Record<string, unknown>[]; [field: string]: unknown };
    const changedIn = (name: string, change: (text: string) => string) => {
      const files = unzip(bytes);
      const text = change(files.get(name)!);
      expect(text).not.toBe(files.get(name));
      return zipped(files.set(name, text));
    };
    const said = (change: (said: Said) => void) =>
      changedIn('property.json', (text) => {
        const parsed = JSON.parse(text);
        change(parsed);
        return JSON.stringify(parsed);
      });

    /** The ledger with other entries, in a chain that holds. */
    const forged = (change: (entries: Record<string, never>[]) => void) => {
      const files = unzip(bytes);
      const lines = files.get('ledger.ndjson')!.trimEnd().split('\n');
      const entries = lines
        .filter((line) => line.startsWith('{"leaf_hash"'))
        .map((line) => JSON.parse(line).entry as unknown[])
        .map(([, id, property_id, , meter_id, kind, ...rest]) => {
          const [
            reading_timestamp,
            value_wh,
            period_start,
            rollover_wh,
            confirmed,
            initial_value_wh,
            ...more
          ] = rest;
          const [serial_number, digits, multiplier, note, supersedes_id, reason, photo_sha256 = null] = more;
          return {
            ...{ id, property_id, batch_id: 1, meter_id, kind, reading_timestamp, value_wh, period_start },
            ...{ rollover_wh, confirmed, initial_value_wh, serial_number, digits, multiplier, note },
            ...{ supersedes_id, reason, photo_sha256 },
          };
        });
      change(entries as never);
      const leaves = entries.map((entry) => leafHash(sha256, canonicalEntry(entry as never)));
      const header = {
        ...{ id: 1, property_id: house.property_id, sequence: 1, recorded_by_user_id: 1 },
        ...{ recorded_by_api_key_id: null, source: 'manual', created_at: 1, entry_count: entries.length },
      };
      const merkle_root = toHex(merkleRoot(sha256, leaves));
      const head = batchHash(sha256, GENESIS_HASH, header, merkle_root);
      const text = [
        batchLine({ ...header, merkle_root, hash: head }),
        ...entries.map((entry, i) =>
          entryLine({ ...(entry as never as object), leaf_hash: leaves[i]! } as never),
        ),
      ];
      const about = JSON.parse(files.get('property.json')!);
      about.head = { sequence: 1, hash: head };
      files.set('ledger.ndjson', `${text.join('\n')}\n`).set('property.json', JSON.stringify(about));
      return zipped(files);
    };
    const entry =
      (kind: string, nth = 0) =>
      (entries: Record<string, never>[]) =>
        entries.filter((each) => each.kind === kind)[nth] as Record<string, unknown>;

    test('the forging itself is sound: unchanged entries come in', async () => {
      const to = await fresh();
      expect((await restore(server, to, await forged(() => {}))).status).toBe(201);
      expect(await told(to)).toEqual(await told(house));
    });

    const CASES: [string, () => Promise<Buffer>, RegExp][] = [
      ['no ZIP', async () => Buffer.from('PK'), /it has no end/],
      ['half a ZIP', async () => bytes.subarray(0, bytes.length / 2), /it has no end/],
      ['nothing', async () => Buffer.alloc(0), /it has no end/],
      ['a file is missing', () => zipped([['property.json', '{}']]), /property.json|format/],
      [
        'no ledger',
        () => zipped([...unzip(bytes)].filter(([name]) => name !== 'ledger.ndjson')),
        /ledger.ndjson is missing/,
      ],
      ['a flipped bit', async () => Buffer.from(bytes).fill(0, 1500, 1504), /a part|directory|overlap/],
      [
        'a changed value',
        () => changedIn('ledger.ndjson', (text) => text.replace(',150000,', ',150001,')),
        /does not hold: entry \d+ of batch/,
      ],
      [
        'a batch left off',
        () => changedIn('ledger.ndjson', (text) => text.slice(0, text.lastIndexOf('{"id":'))),
        /another head/,
      ],
      [
        'another photo',
        () => {
          const files = unzip(bytes);
          const name = [...files.keys()].at(-1)!;
          return zipped(files.set(name, files.get(name)!.replace('JFIF', 'JFIG')));
        },
        /not the photo that the ledger names/,
      ],
      ['half a line', () => changedIn('ledger.ndjson', (text) => text.slice(0, -20)), /ends within a line/],
      [
        'no UTF-8',
        async () => {
          const files = unzip(bytes);
          const chunks: Buffer[] = [];
          const raw = [...files].map(([name, text]) => ({
            name,
            content: name === 'ledger.ndjson' ? [Buffer.from([0xff, 0xfe, 0x0a])] : [text],
          }));
          for await (const chunk of zip(raw)) chunks.push(chunk);
          return Buffer.concat(chunks);
        },
        /not UTF-8/,
      ],
      ['no JSON', () => changedIn('property.json', (text) => text.slice(1)), /not JSON/],
      [
        'a field too many',
        () =>
          said((all) => {
            all.surprise = 1;
          }),
        /surprise/,
      ],
      [
        'no time zone',
        () =>
          said((all) => {
            (all.property as Said).timezone = 'Mars/Olympus';
          }),
        /property.timezone/,
      ],
      [
        'a meter twice',
        () =>
          said(({ meters }) => {
            meters.push(meters[1]!);
          }),
        /id of another/,
      ],
      [
        'two of a name',
        () =>
          said(({ meters }) => {
            meters[4]!.name = 'FRIDGE';
          }),
        /name of another/,
      ],
      [
        'two main meters',
        () =>
          said(({ meters }) => {
            meters.push({ ...meters[0]!, id: 99_999, name: 'other' });
          }),
        /exactly one main/,
      ],
      [
        'below itself',
        () =>
          said(({ meters }) => {
            meters[1]!.parent_meter_id = meters[1]!.id;
          }),
        /below itself/,
      ],
      [
        'below a virtual one',
        () =>
          said(({ meters }) => {
            meters[1]!.parent_meter_id = meters[4]!.id;
          }),
        /hangs below what/,
      ],
      [
        'a formula in a circle',
        () =>
          said(({ meters }) => {
            meters[4]!.formula = [{ meter_id: meters[4]!.id, factor: '1' }];
          }),
        /leads back/,
      ],
      [
        'a formula of nothing',
        () =>
          said(({ meters }) => {
            meters[4]!.formula = [{ meter_id: 99_999, factor: '1' }];
          }),
        /not in the archive/,
      ],
      [
        'a meter left out',
        () =>
          said((all) => {
            all.meters = all.meters.filter(({ name }) => name !== 'gone');
          }),
        /of no meter of the archive/,
      ],
      [
        'a negative register',
        () =>
          forged((all) => {
            entry('absolute')(all)!.value_wh = -1;
          }),
        /value_wh: must be at least 0/,
      ],
      [
        'a field of the wrong kind',
        () =>
          forged((all) => {
            entry('absolute')(all)!.note = { a: 1 } as never;
          }),
        /note/,
      ],
      [
        'a null byte',
        () =>
          forged((all) => {
            entry('absolute')(all)!.note = 'a\0b';
          }),
        /note/,
      ],
      [
        'a reading without a value',
        () =>
          forged((all) => {
            entry('absolute')(all)!.value_wh = null;
          }),
        /without value_wh/,
      ],
      [
        'a void with a value',
        () =>
          forged((all) => {
            entry('void')(all)!.value_wh = 5;
          }),
        /with value_wh/,
      ],
      [
        'half a replacement',
        () =>
          forged((all) => {
            entry('device', 1)(all)!.initial_value_wh = null;
          }),
        /neither the first/,
      ],
      [
        'the future',
        () =>
          forged((all) => {
            entry('absolute')(all)!.reading_timestamp = 4_000_000_000_000;
          }),
        /in the future/,
      ],
      [
        'an interval of no length',
        () =>
          forged((all) => {
            const one = entry('relative')(all)!;
            one.period_start = one.reading_timestamp;
          }),
        /ends before/,
      ],
      [
        'an entry superseded twice',
        () =>
          forged((all) => {
            entry('absolute', 4)(all)!.supersedes_id = entry('absolute')(all)!.id;
          }),
        /which another entry supersedes|no entry of its meter/,
      ],
      [
        'two readings at once',
        () =>
          forged((all) => {
            const [one, two] = [entry('relative', 1)(all)!, entry('relative', 2)(all)!];
            two.reading_timestamp = one.reading_timestamp;
          }),
        /two entries in force for one instant/,
      ],
      [
        'an interval over another',
        () =>
          forged((all) => {
            const one = entry('relative', 4)(all)!;
            one.period_start = 0;
          }),
        /reaches back over/,
      ],
      [
        'more than the register counts',
        () =>
          forged((all) => {
            all.findLast((each) => each.value_wh === 10_500)!.value_wh = 99_999_000 as never;
          }),
        /has 5 digits/,
      ],
    ];
    test.each(CASES)('%s', async (_, made, sentence) => {
      const to = await fresh();
      const before = await everything(server.db);
      const { status, body } = await restore(server, to, await made());
      expect([body.detail, status]).toEqual([
        expect.stringMatching(sentence),
        body.code === 'interval_overlap' ? 409 : 422,
      ]);
      expect(await everything(server.db)).toEqual(before);
    });
  });
});
