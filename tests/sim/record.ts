/** Hands readings to the ledger through every door, and holds the model's judgement against the answer. */
import { expect } from 'vitest';
import { answerOf, call, fieldsOf, type Household, iso, names, plainly, written } from './household.ts';
import * as model from './model.ts';

/** Sends a batch through one of the doors that take it; notes and sources become what that door makes of them. */
function send(household: Household, batch: model.Dated[]) {
  const { server, person, random, property_id, meters } = household;
  const nameOf = (id: number) => meters.find((meter) => meter.id === id)!.name;
  const [first] = batch;
  if (batch.length === 1 && random.percent(80)) {
    return call(household, 'POST', '/api/readings', { meter_id: first!.meter_id, ...fieldsOf(first!) });
  }
  const main = batch.find(({ meter_id }) => meter_id === meters[0]!.id);
  const is_round =
    new Set(batch.map(({ meter_id }) => meter_id)).size === batch.length &&
    batch.every(
      ({ at, kind, since, note }) =>
        at === first!.at && kind === first!.kind && since === null && note === null,
    );
  if (main && is_round) {
    const submeters = batch.filter((line) => line !== main);
    return call(household, 'POST', '/api/readings/bulk', {
      property_id,
      reading_timestamp: iso(main.at),
      reading_type: main.kind,
      main_meter_value: model.kwh(main.value),
      submeter_readings: Object.fromEntries(
        submeters.map(({ meter_id, value }) => [nameOf(meter_id), model.kwh(value)]),
      ),
    });
  }
  for (const line of batch) line.source = 'import';
  const is_csv = batch.every(({ kind, note }) => kind === 'absolute' && note === null) && random.percent(50);
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
    token: person.token,
    body: lines.join('\n'),
    headers: { 'content-type': is_csv ? 'text/csv' : 'application/x-ndjson' },
  });
}

/** Records a batch on both sides. @returns whether it was taken */
export async function record(household: Household, sent: readonly model.Dated[]): Promise<boolean> {
  const batch = sent.map((line) => ({ ...line }));
  const { status, body } = await send(household, batch);
  const judged = model.judge(household.list, batch);
  if ('refusal' in judged) {
    const wanted = judged.refusal === 'validation_failed' ? 422 : 409;
    expect({ status, code: body.code }).toEqual({ status: wanted, code: judged.refusal });
    if (batch.length === 1 && wanted === 409) names(body, judged.in_the_way);
    await written(household, []);
    return false;
  }
  const { fresh, unchanged } = judged;
  expect({ status, body }).toMatchObject({ status: fresh.length > 0 ? 201 : 200 });
  await written(household, fresh);
  if ('recorded' in body) {
    const { recorded, unchanged: found, repeated } = body;
    expect({ recorded, unchanged: found, repeated }).toEqual({
      recorded: fresh.length,
      unchanged,
      repeated: batch.length - fresh.length - unchanged,
    });
    return true;
  }
  for (const item of body.items ?? [body]) {
    const line = household.list.find(({ id }) => id === item.id) as model.Dated;
    expect(plainly(item)).toEqual(answerOf(household, line));
  }
  return true;
}

/** A line as it was before the ledger knew it. */
const asNew = ({ meter_id, kind, at, value, since, note }: model.Dated) =>
  model.line({ meter_id, kind, at, value, since, note }) as model.Dated;

/**
 * The next batch: what arrives next, sometimes behind much that was sent before; or a round of all registers that
 * were read with the main meter; or a replacement by itself.
 */
export function nextBatch({ random, meters, list }: Household, waiting: model.Dated[]): model.Dated[] {
  if (waiting[0]!.kind === 'device') return [waiting[0]!];
  const main = waiting.find(({ meter_id, kind }) => meter_id === meters[0]!.id && kind === 'absolute');
  if (main && random.percent(15)) {
    const seen = new Set<number>();
    return waiting.filter(({ meter_id, at, kind }) => {
      if (at !== main.at || kind !== 'absolute' || seen.has(meter_id)) return false;
      seen.add(meter_id);
      return true;
    });
  }
  const repeated = random.percent(15) ? model.inForce(list).filter(() => random.percent(20)) : [];
  // What was struck out is read again.
  const struck = list.filter((line) => model.successorOf(list, line)?.kind === 'void');
  const anew = struck.filter(() => random.percent(30));
  const again = [...repeated, ...anew].filter(model.isReading).map(asNew);
  const count = random.percent(50) ? random.int(1, 3) : random.int(1, 30);
  return [...again, ...waiting.slice(0, count).filter(({ kind }) => kind !== 'device')];
}
