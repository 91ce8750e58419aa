/** Hands readings to the ledger through every door, and holds the model's judgement against the answer. */
import { expect } from 'vitest';
import { entryIds, fieldsOf, type Household, iso, keyOf } from './household.ts';
import * as model from './model.ts';

/** Sends a batch through one of the doors that take it. */
function send({ server, person: { token }, random, property_id, meters }: Household, batch: model.Line[]) {
  const nameOf = (id: number) => meters.find((meter) => meter.id === id)!.name;
  const [first] = batch;
  if (batch.length === 1 && random.percent(80)) {
    return server.call('POST', '/api/readings', {
      token,
      body: { meter_id: first!.meter_id, ...fieldsOf(first!) },
    });
  }
  const main = batch.find(({ meter_id }) => meter_id === meters[0]!.id);
  const is_round =
    new Set(batch.map(({ meter_id }) => meter_id)).size === batch.length &&
    batch.every(({ at, kind, since }) => at === first!.at && kind === first!.kind && since === null);
  if (main && is_round) {
    const submeters = batch.filter((line) => line !== main);
    const body = {
      property_id,
      reading_timestamp: iso(main.at),
      reading_type: main.kind,
      main_meter_value: model.kwh(main.value),
      submeter_readings: Object.fromEntries(
        submeters.map(({ meter_id, value }) => [nameOf(meter_id), model.kwh(value)]),
      ),
    };
    return server.call('POST', '/api/readings/bulk', { token, body });
  }
  const is_csv = batch.every(({ kind }) => kind === 'absolute') && random.percent(50);
  const ids = [...new Set(batch.map(({ meter_id }) => meter_id))];
  const lines = is_csv
    ? [
        ['timestamp', ...ids.map(nameOf)].join(','),
        ...batch.map(({ meter_id, at, value }) =>
          [iso(at), ...ids.map((id) => (id === meter_id ? model.kwh(value) : ''))].join(','),
        ),
      ]
    : batch.map((line) => JSON.stringify({ meter: nameOf(line.meter_id), ...fieldsOf(line) }));
  return server.call('POST', `/api/readings/import?property_id=${property_id}`, {
    token,
    body: lines.join('\n'),
    headers: { 'content-type': is_csv ? 'text/csv' : 'application/x-ndjson' },
  });
}

/** Records a batch on both sides. @returns whether it was taken */
export async function record(household: Household, batch: model.Line[]): Promise<boolean> {
  const judged = model.judge(household.list, batch);
  const { status, body } = await send(household, batch);
  if ('refusal' in judged) {
    expect({ status, code: body.code }).toEqual({ status: 409, code: judged.refusal });
    if (batch.length === 1) {
      const ids = await entryIds(household);
      const named = judged.in_the_way.map(({ meter_id, at }) => ids.get(keyOf(meter_id, at)));
      expect(named).toContain(body.reading_id);
    }
    return false;
  }
  const { fresh, unchanged } = judged;
  expect({ status, body }).toMatchObject({ status: fresh.length > 0 ? 201 : 200 });
  if ('recorded' in body) {
    expect({ recorded: body.recorded, unchanged: body.unchanged }).toEqual({
      recorded: fresh.length,
      unchanged,
    });
  }
  household.list.push(...fresh);
  if (fresh.length > 0) household.batches += 1;
  return true;
}

/**
 * The next batch: what arrives next, sometimes behind much that was sent before; or a round of all registers that
 * were read with the main meter.
 */
export function nextBatch({ random, meters, list }: Household, waiting: model.Line[]): model.Line[] {
  const main = waiting.find(({ meter_id, kind }) => meter_id === meters[0]!.id && kind === 'absolute');
  if (main && random.percent(15)) {
    const seen = new Set<number>();
    return waiting.filter(({ meter_id, at, kind }) => {
      if (at !== main.at || kind !== 'absolute' || seen.has(meter_id)) return false;
      seen.add(meter_id);
      return true;
    });
  }
  const again = random.percent(15) ? list.filter(() => random.percent(20)) : [];
  return [...again, ...waiting.slice(0, random.percent(50) ? random.int(1, 3) : random.int(1, 30))];
}
