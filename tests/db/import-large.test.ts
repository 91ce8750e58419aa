/**
 * An import that does not fit in memory, into a server process that has little of it.
 *
 *   IMPORT_READINGS=1000000 npx vitest run tests/db/import-large.test.ts --testTimeout=0   the full size
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Client, createClient } from '../../src/client/index.ts';
import type { ImportReport } from '../../src/contract/imports.ts';
import { ENGINES, freshUrl } from '../support/engines.ts';
import { importEvents } from '../support/events.ts';
import { settled, start, stop } from '../support/killing.ts';
import { PASSWORD } from '../support/server.ts';
import { row, workbook } from '../support/workbook.ts';

const READINGS = Number(process.env.IMPORT_READINGS ?? 60_000);
/** What Node is told on a small machine (docs/importing.md): the rest of its memory is not the heap's. */
const SMALL_MACHINE = ['--max-old-space-size=64', '--max-semi-space-size=4'];
const METERS = 10;
const BEGIN_MS = Date.parse('2024-01-01T00:00:00Z');

/** Registers of ten meters; the last tenth of the file lies before the rest. */
function* csv(names: readonly string[], readings: number) {
  yield `timestamp,${names.join(',')}\n`;
  const lines = Math.floor(readings / METERS);
  for (let line = 0; line < lines; line += 100) {
    const some = Array.from({ length: Math.min(100, lines - line) }, (_, i) => {
      const at = (line + i + lines / 10) % lines;
      const time = new Date(BEGIN_MS + at * 10_000).toISOString();
      return `${time},${names.map((_, meter) => `${at * (meter + 1)}.5`).join(',')}\n`;
    });
    yield some.join('');
  }
}

/** Hours of one meter; what joins them to it, and what their values mean, comes last. */
function* greenButton(name: string, readings: number) {
  const entry = (self: string, up: string, related: string, content: string) =>
    `<entry><link rel="self" href="${self}"/><link rel="up" href="${up}"/><link rel="related" href="${related}"/>` +
    `<title>${name}</title><content>${content}</content></entry>\n`;
  yield '<feed xmlns="http://www.w3.org/2005/Atom">\n';
  for (let at = 0; at < readings; at += 24) {
    const hours = Array.from({ length: Math.min(24, readings - at) }, (_, i) => {
      const start = BEGIN_MS / 1000 - (at + i + 1) * 600;
      return `<IntervalReading><timePeriod><duration>600</duration><start>${start}</start></timePeriod><value>${i}</value></IntervalReading>`;
    });
    const block = `<IntervalBlock>${hours.join('\n')}</IntervalBlock>`;
    yield entry(
      `/UsagePoint/1/MeterReading/1/IntervalBlock/${at}`,
      '/UsagePoint/1/MeterReading/1/IntervalBlock',
      '',
      block,
    );
  }
  const blocks = '/UsagePoint/1/MeterReading/1/IntervalBlock';
  yield entry('/ReadingType/1', '/ReadingType', '', '<ReadingType><uom>72</uom></ReadingType>');
  yield entry('/UsagePoint/1/MeterReading/1', '/UsagePoint/1/MeterReading', blocks, '<MeterReading/>');
  yield entry('/UsagePoint/1', '/UsagePoint', '/UsagePoint/1/MeterReading', '<UsagePoint/>');
  yield '</feed>\n';
}

/** A reading a row, each with a time that is a text of its own. */
function xlsx(name: string, readings: number) {
  function* pieces(count: number, write: (i: number) => string) {
    for (let at = 0; at < count; at += 1000)
      yield Array.from({ length: Math.min(1000, count - at) }, (_, i) => write(at + i)).join('');
  }
  const texts = pieces(readings, (i) => `<si><t>${new Date(BEGIN_MS + i * 10_000).toISOString()}</t></si>`);
  const rows = pieces(readings + 1, (i) =>
    i === 0 ? row(1, 'time', 'meter', 'register') : row(i + 1, [i - 1, 's'], name, (i * 125) / 1000),
  );
  return workbook({ sheets: { Readings: rows }, texts });
}

/** The most memory that a process ever had, in MiB. */
function peakMib(pid: number): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return Number(kib) / 1024;
}

interface Given {
  client: Client;
  to: { origin: string; token: string; property_id: number; query: string };
}

/** Somebody with a property, on a server that has just started. */
async function settle(origin: string): Promise<Given> {
  let token = '';
  const client = createClient({ origin, token: () => token });
  const me = { username: 'importer', password: PASSWORD };
  await client.register({ body: { ...me, email: 'importer@example.com' } });
  token = (await client.login({ body: me })).access_token;
  const { id: property_id } = await client.createProperty({ body: { display_name: 'Villa Volt' } });
  return { client, to: { origin, token, property_id, query: '&create_missing=true' } };
}

const NAMES = ['Main meter', ...Array.from({ length: METERS - 1 }, (_, i) => `meter ${i + 1}`)];

test.each(ENGINES)(
  'killed while it records, on %s: nothing of it is there; again: all of it',
  async (engine) => {
    const { url, drop } = await freshUrl(engine);
    let server = await start(url);
    try {
      const { to } = await settle(server.origin);
      const file = [...csv(NAMES, 20_000)];
      const import_cut_off = async () => {
        for await (const { event, data } of importEvents(to, file))
          if (event === 'progress' && data.phase === 'recording') server.child.kill('SIGKILL');
      };
      await expect(import_cut_off()).rejects.toThrow();
      await settled(url);
      server = await start(url);
      const again = { ...to, origin: server.origin };
      const client = createClient({ origin: server.origin, token: () => to.token });
      const { property_id } = to;
      expect(await client.verifyLedger({ property_id })).toMatchObject({ verified: true, batches: 0 });
      expect((await client.listMeters({ property_id })).total).toBe(1);
      let report: object = {};
      for await (const { data } of importEvents(again, file)) report = data;
      expect(report).toMatchObject({ recorded: 20_000 });
      expect(await client.verifyLedger({ property_id })).toMatchObject({ verified: true, batches: 1 });
      expect(await stop(server.child, 'SIGTERM')).toEqual([0, null]);
    } finally {
      server.child.kill('SIGKILL');
      await drop();
    }
  },
);

/** What came in at once also leaves, is restored, undone, brought back and checked in as little memory. */
async function leaveAndReturn(client: Client, property_id: number, batch_id: number): Promise<void> {
  const period = { start_timestamp: '2024-01-01T01:00:00Z', end_timestamp: '2024-01-01T15:00:00Z' };
  const used = () => client.getConsumption({ property_id, ...period, boundary: 'interpolate' });
  const imported = await used();
  expect(imported.main_meter_consumption).not.toBeNull();
  const again = await client.createProperty({ body: { display_name: 'Villa Volt, again' } });
  const upload = (await client.archiveProperty({ property_id })) as ReadableStream<Uint8Array>;
  const to_again = { property_id: again.id, content_type: 'application/zip' as const };
  expect(await client.restoreArchive({ ...to_again, upload })).toMatchObject({ readings: READINGS });
  const undone = await client.undoBatch({ property_id, batch_id, body: { reason: 'wrong house' } });
  expect([undone.entry_count, (await used()).main_meter_consumption]).toEqual([READINGS, null]);
  await client.undoBatch({ property_id, batch_id: undone.id, body: { reason: 'it was right' } });
  expect(await used()).toEqual(imported);
  expect(await client.verifyLedger({ property_id })).toMatchObject({ verified: true, entries: READINGS * 3 });
}

const FILES = [
  ['CSV', () => csv(NAMES, READINGS)],
  ['Green Button', () => greenButton('Main meter', READINGS)],
  ['XLSX', () => xlsx('Main meter', READINGS)],
] as const;
const CASES = ENGINES.flatMap((engine) => FILES.map(([format, file]) => ({ engine, format, file })));

test.each(CASES)(
  `${READINGS} readings of $format within 256 MiB on $engine; reads go on`,
  async ({ engine, format, file }) => {
    const { url, drop } = await freshUrl(engine);
    const server = await start(url, SMALL_MACHINE);
    try {
      const { client, to } = await settle(server.origin);
      const { property_id } = to;
      const before_mib = peakMib(server.child.pid!);
      const started_at = performance.now();
      const asked: Promise<unknown>[] = [];
      const phases = new Set<string>();
      let report: object = {};
      for await (const { event, data } of importEvents(to, file())) {
        if (event !== 'progress') report = data;
        else if (!phases.has(data.phase)) {
          phases.add(data.phase);
          // While the file is on its way and while its transaction is open, others are answered, as of before.
          asked.push(client.getHealth({}), client.listMeters({ property_id }));
        }
      }
      const seconds = (performance.now() - started_at) / 1000;
      expect(report).toMatchObject({ recorded: READINGS, unchanged: 0, importable: true });
      expect([...phases].slice(-2)).toEqual(['checking', 'recording']);
      for (const answer of await Promise.all(asked)) expect(answer).toBeTruthy();
      const imported_mib = peakMib(server.child.pid!);
      if (format === 'CSV') await leaveAndReturn(client, property_id, (report as ImportReport).batch_id!);
      const peak_mib = peakMib(server.child.pid!);
      console.log(
        `${engine}, ${format}: ${Math.round(READINGS / seconds)} readings/s, at most ${Math.round(peak_mib)} MiB ` +
          `(${Math.round(before_mib)} MiB before, ${Math.round(imported_mib)} imported)`,
      );
      expect(peak_mib).toBeLessThan(256);
      expect(await stop(server.child, 'SIGTERM')).toEqual([0, null]);
    } finally {
      server.child.kill('SIGKILL');
      await drop();
    }
  },
);
