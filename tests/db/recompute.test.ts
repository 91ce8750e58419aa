/** The projection can be thrown away: the ledger alone makes it again, bit for bit. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Recomputed, recompute } from '../../src/server/projection/recompute.ts';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { tampered } from '../support/ledger.ts';
import { startServer, type TestServer } from '../support/server.ts';

const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}T00:00:00Z`;

describe.each(ENGINES)('recompute on %s', (engine) => {
  let server: TestServer;
  let house: House;
  let kitchen: number;
  beforeAll(async () => {
    server = await startServer(engine);
    house = await newHouse(server);
    kitchen = await house.submeter('kitchen', { device: { digits: 5, multiplier: 2 } });
    for (const [i, value] of ['0', '24', '48', '72', '5000', '10', '20'].entries())
      await house.given(house.main_id, day(i + 1), value);
    const replaced = { replaced_at: day(10), final_value: '30', initial_value: '5', multiplier: 3 };
    await house.post(`/api/meters/${house.main_id}/replacements`, replaced);
    await house.given(house.main_id, day(11), '7');
    const more = { reading_type: 'relative', period_start: day(12) };
    await house.given(house.main_id, day(13), '4', more);
    const first = await house.given(kitchen, day(1), '99990');
    const second = await house.given(kitchen, day(2), '10');
    await house.given(kitchen, day(3), '15');
    await house.patch(`/api/readings/${first}`, { value: '99991', reason: 'x' });
    await server.call('DELETE', `/api/readings/${second}?reason=wrong+meter`, { token: house.owner.token });
  });
  afterAll(() => server.close());

  const stored = () =>
    server.db.read
      .selectFrom('readings')
      .selectAll()
      .orderBy('property_id')
      .orderBy('meter_id')
      .orderBy('reading_timestamp')
      .execute();
  const check = (...statements: string[]): Promise<Recomputed> =>
    tampered(engine, server.db, statements, (tx) => recompute(tx, 'check'));

  test('what the server keeps is what the ledger says', async () => {
    expect(await check()).toEqual({ meters: 2, readings: 12, difference: null });
  });

  test('made again from nothing, and over what is wrong, it is the same row by row', async () => {
    const before = await stored();
    expect(before).toHaveLength(12);
    for (const damage of ['DELETE FROM readings', 'UPDATE readings SET energy_wh = 7, property_id = 999']) {
      const rebuilt = await tampered(engine, server.db, [damage], async (tx) => {
        expect(await recompute(tx, 'rewrite')).toEqual({ meters: 2, readings: 12, difference: null });
        return tx
          .selectFrom('readings')
          .selectAll()
          .orderBy('property_id')
          .orderBy('meter_id')
          .orderBy('reading_timestamp')
          .execute();
      });
      expect(rebuilt).toEqual(before);
    }
  });

  test('any column of any reading: the first difference is named', async () => {
    for (const { property_id, meter_id, reading_timestamp, ...row } of await stored()) {
      const where = `property_id = ${property_id} AND meter_id = ${meter_id} AND reading_timestamp = ${reading_timestamp}`;
      for (const [column, value] of Object.entries(row)) {
        const literal = column === 'reading_type' || value === null ? (value ? 0 : 1) : value + 1;
        const change = ['confirmed', 'decreased', 'rolled_over', 'implausible'].includes(column)
          ? 1 - value!
          : literal;
        const what = `UPDATE readings SET ${column} = ${change} WHERE ${where}`;
        const { difference } = await check(what);
        expect({ what, difference }).toEqual({
          what,
          difference: {
            property_id,
            meter_id,
            entry_id: column === 'entry_id' ? row.entry_id + 1 : row.entry_id,
            detail: expect.stringContaining(column),
          },
        });
      }
    }
  });

  test('a reading too few, too many, at another time, of another meter', async () => {
    const rows = await stored();
    for (const at of [0, 3, 11]) {
      const { meter_id, reading_timestamp, entry_id } = rows[at]!;
      const where = `meter_id = ${meter_id} AND reading_timestamp = ${reading_timestamp}`;
      const gone = await check(`DELETE FROM readings WHERE ${where}`);
      expect(gone.difference).toMatchObject({
        meter_id,
        detail: expect.stringContaining(`entry ${entry_id}) is missing`),
      });
      const moved = await check(
        `UPDATE readings SET reading_timestamp = reading_timestamp + 1 WHERE ${where}`,
      );
      expect(moved.difference).toMatchObject({
        meter_id,
        detail: expect.stringMatching(/missing|not in force/),
      });
      const stray = await check(`UPDATE readings SET meter_id = 4711 WHERE ${where}`);
      expect(stray.difference).toMatchObject({ meter_id: 4711, entry_id });
    }
    const columns = Object.keys(rows[0]!).join();
    const more = await check(
      `INSERT INTO readings (${columns}) SELECT ${columns.replace('reading_timestamp', 'reading_timestamp + 1')}
       FROM readings WHERE reading_timestamp = ${Date.parse(day(13))}`,
    );
    expect(more.difference?.detail).toMatch(/2026-01-13T00:00:00.001Z.*is there, but not in force/);
  });

  test('entries that exclude each other cannot be folded', async () => {
    const what = `UPDATE ledger_entries SET period_start = ${Date.parse(day(9))} WHERE kind = 'relative'`;
    await expect(check(what)).rejects.toThrow(/Main meter.*reaches back over another reading/);
  });
});
