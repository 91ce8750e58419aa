/** Empty is a shape: what an account that has nothing yet, or a property in which nothing was read, is answered with. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXPORT_COLUMNS } from '../../src/contract/exports.ts';
import { type Contracts, contracts } from '../../src/contract/index.ts';
import type { Contract } from '../../src/contract/schema.ts';
import { ENGINES } from '../support/engines.ts';
import type { Person, TestServer } from '../support/server.ts';
import { startServer } from '../support/server.ts';
import { unzip } from '../support/unzip.ts';

type Getter = { [N in keyof Contracts]: Contracts[N] extends { method: 'GET' } ? N : never }[keyof Contracts];

const AT = '2026-06-15T12:00:00Z';
const DATES = '?start_date=2026-01-01&end_date=2026-03-01';
const [JANUARY, FEBRUARY, MARCH] = ['01', '02', '03'].map((month) => `2026-${month}-01T00:00:00Z`);
/** Of a period in which nothing was read. */
const UNKNOWN = {
  ...{ main_meter_consumption: null, total_submetered_consumption: null, unmetered_consumption: null },
  ...{ imbalance: null, unmetered_uncertainty: null, known_consumption: null, coverage: 0, estimated: false },
  submeters: [],
};
/** It is about one thing, and there is none. */
const NEEDS = 'needs what an empty account has not';
/** It does not depend on who has what. */
const SAME = 'the same for everybody';

interface Empty {
  query?: string;
  /** The whole answer. */
  body: unknown;
}
type Row = Empty | typeof NEEDS | typeof SAME;

describe.each(ENGINES)('empty on %s', (engine) => {
  let server: TestServer;
  let person: Person;
  let property_id: number;
  let meter_id: number;
  beforeAll(async () => {
    server = await startServer(engine, { clock: () => Date.parse(AT) });
    person = await server.newPerson();
  });
  afterAll(() => server.close());

  async function answer(name: Getter, query = ''): Promise<unknown> {
    const { url, download }: Contract = contracts[name];
    const path = url.replace(':property_id', String(property_id)).replace(':meter_id', String(meter_id));
    const response = await fetch(server.origin + path + query, {
      headers: { authorization: `Bearer ${person.token}` },
    });
    expect([name, response.status]).toEqual([name, 200]);
    const bytes = Buffer.from(await response.arrayBuffer());
    if (response.headers.get('content-type') === 'application/zip') return unzip(bytes);
    return download ? bytes.toString() : JSON.parse(bytes.toString());
  }

  test('an account without a property', async () => {
    const nothing = { items: [], total: 0, limit: 100, offset: 0 };
    expect(await answer('listProperties')).toEqual(nothing);
    expect(await answer('listMyProperties')).toEqual(nothing);
    expect(await answer('listApiKeys')).toEqual(nothing);
    expect(await answer('getDashboard')).toEqual({
      ...{ properties_count: 0, meters_count: 0, readings_this_month: 0, latest_reading_date: null },
      ...{ attention_count: 0, properties_summary: [] },
    });
  });

  test('a property in which nothing was read: every GET there is', async () => {
    const created = await person.client.createProperty({ body: { display_name: 'Villa Volt' } });
    property_id = created.id;
    meter_id = created.main_meter_id!;
    const page = { items: [], total: 0, limit: 100, offset: 0 };
    const ROWS: Record<Getter, Row> = {
      getInvitation: NEEDS,
      getReading: NEEDS,
      listRevisions: NEEDS,
      proveReading: NEEDS,
      getPhoto: NEEDS,
      getHealth: SAME,
      getReadiness: SAME,
      getOpenapi: SAME,
      getMe: SAME,
      getProperty: SAME,
      getMeter: SAME,
      listSessions: { body: { ...page, items: [expect.objectContaining({ current: true })], total: 1 } },
      listApiKeys: { body: page },
      listInvitations: { body: page },
      listMqttTopics: { body: page },
      listMembers: { body: { ...page, items: [expect.objectContaining({ role: 'owner' })], total: 1 } },
      listProperties: { body: { ...page, items: [created], total: 1 } },
      listMyProperties: { body: { ...page, items: [created], total: 1 } },
      listMeters: {
        body: { ...page, items: [expect.objectContaining({ id: meter_id, name: 'Main meter' })], total: 1 },
      },
      listDevices: {
        body: {
          ...page,
          items: [
            {
              ...{ id: null, meter_id, serial_number: null, digits: null, multiplier: 1, installed_at: null },
              ...{ removed_at: null, initial_value: null, final_value: null, reason: null, warnings: [] },
            },
          ],
          total: 1,
        },
      },
      getDashboard: {
        body: {
          properties_count: 1,
          meters_count: 1,
          readings_this_month: 0,
          latest_reading_date: null,
          attention_count: 0,
          properties_summary: [
            {
              ...{ id: property_id, name: 'Villa Volt', meters_count: 1, latest_reading: null },
              ...{ consumption_this_month: null, consumption_previous_month: null },
              ...{ unmetered_this_month: null, attention_count: 0 },
            },
          ],
        },
      },
      getLatest: {
        body: { property_id, reading_timestamp: null, main_meter: null, submeters: [], unmetered: null },
      },
      getSummary: {
        query: `?reading_timestamp=${AT}`,
        body: { property_id, reading_timestamp: AT, main_meter: null, submeters: [], unmetered: null },
      },
      getHistory: { body: { ...page, next_cursor: null } },
      getMeterRange: { query: DATES, body: { ...page, next_cursor: null } },
      getPropertyRange: { query: DATES, body: { ...page, next_cursor: null } },
      listBatches: { body: { ...page, next_cursor: null } },
      listAttention: { body: page },
      verifyLedger: {
        body: { property_id, verified: true, batches: 0, entries: 0, head: null, fault: null },
      },
      exportLedger: { body: '' },
      exportReadings: { body: `${EXPORT_COLUMNS.join(',')}\r\n` },
      archiveProperty: {
        body: new Map([
          ['README.txt', expect.any(String)],
          ['property.json', expect.stringContaining('"head": null')],
          ['ledger.ndjson', ''],
          ['readings.csv', `${EXPORT_COLUMNS.join(',')}\r\n`],
        ]),
      },
      getConsumption: {
        query: `?start_timestamp=${JANUARY}&end_timestamp=${MARCH}`,
        body: { property_id, start_timestamp: JANUARY, end_timestamp: MARCH, ...UNKNOWN, warnings: [] },
      },
      getSeries: {
        query: `${DATES}&interval=month`,
        body: {
          ...{
            property_id,
            interval: 'month',
            timezone: 'UTC',
            start_timestamp: JANUARY,
            end_timestamp: MARCH,
          },
          buckets: [
            { start_timestamp: JANUARY, end_timestamp: FEBRUARY, ...UNKNOWN },
            { start_timestamp: FEBRUARY, end_timestamp: MARCH, ...UNKNOWN },
          ],
          warnings: [],
        },
      },
    };
    for (const [name, row] of Object.entries(ROWS) as [Getter, Row][]) {
      if (typeof row !== 'string') expect([name, await answer(name, row.query)]).toEqual([name, row.body]);
    }
  });
});
