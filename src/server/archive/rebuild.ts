/** Records what an archive holds in a property that has recorded nothing yet. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { deviceAt, type MeterRules } from '../../core/reading.ts';
import type { Tx } from '../db/tables.ts';
import type { DomainError } from '../errors.ts';
import { toInForce } from '../ledger/in-force.ts';
import { insertEntries } from '../ledger/store.ts';
import { type Author, type HashedEntry, LongBatch } from '../ledger/write.ts';
import type { MeterRow } from '../meters/store.ts';
import { LongFold } from '../projection/long.ts';
import { rulesOfEach } from '../projection/project.ts';
import { exceedsRegister, tooManyDigits } from '../readings/register.ts';
import { unreadable } from './refused.ts';
import type { Staging } from './staging.ts';

/** Entries between which the event loop goes on. */
const PAGE = 2500;
const LEDGER = 'ledger.ndjson';

/** Gives every entry its place in the new chain, in the order in which they were recorded. @returns how many there are */
async function draw(
  staging: Staging,
  batch: LongBatch,
  meters: ReadonlyMap<number, MeterRow>,
): Promise<number> {
  let count = 0;
  for (let page = staging.after(0, PAGE); page.length > 0; page = staging.after(page.at(-1)!.id, PAGE)) {
    const drawn = await batch.draw(page.length, (ids) => {
      const of_page = new Map(page.map(({ id }, i) => [id, ids[i]!]));
      return page.map(({ id: _, property_id: __, batch_id: ___, ...said }) => ({
        ...said,
        meter_id: meters.get(said.meter_id)!.id,
        supersedes_id:
          said.supersedes_id && (of_page.get(said.supersedes_id) ?? staging.newId(said.supersedes_id)),
      }));
    });
    for (const [i, { id }] of page.entries()) staging.draw(id, drawn[i]!);
    count += page.length;
    await nextTurn();
  }
  return count;
}

async function insert(tx: Tx, staging: Staging): Promise<void> {
  for (let page = staging.drawnAfter(0, PAGE); page.length > 0; ) {
    await insertEntries(
      tx,
      page.map(({ entry }) => entry),
    );
    await nextTurn();
    page = staging.drawnAfter(page.at(-1)!.id, PAGE);
  }
}

/** What a register shows that its device has not the digits for. */
function exceeding({ name }: MeterRow, { devices }: MeterRules, entry: HashedEntry): DomainError | null {
  const { kind, reading_timestamp, value_wh, initial_value_wh } = entry;
  if (kind === 'relative') return null;
  const refuse = (message: string) => unreadable(LEDGER, `cannot be: ${message}`);
  const device = deviceAt(devices, reading_timestamp!);
  if (exceedsRegister(device, value_wh!)) return refuse(tooManyDigits(name, device, value_wh!));
  if (initial_value_wh !== null && exceedsRegister(entry, initial_value_wh))
    return refuse(tooManyDigits(name, entry, initial_value_wh));
  return null;
}

/** Makes the projection of one meter. @returns how many readings are in force */
async function fold(
  tx: Tx,
  staging: Staging,
  archived_id: number,
  meter: MeterRow,
  rules: MeterRules,
): Promise<number> {
  let count = 0;
  let folding: LongFold | undefined;
  for (let after_ms = Number.MIN_SAFE_INTEGER; ; ) {
    const page = staging.inForceAfter(archived_id, after_ms, PAGE);
    const last_ms = page.at(-1)?.reading_timestamp;
    if (last_ms == null) break;
    for (const entry of page) {
      const refused = exceeding(meter, rules, entry);
      if (refused) throw refused;
    }
    folding ??= await LongFold.begin(
      { db: tx, tx, isAdded: () => true },
      meter,
      rules,
      page[0]!.reading_timestamp!,
      [],
    );
    await folding.add(
      page.map((entry) => toInForce(entry, entry.id)!),
      last_ms,
    );
    count += page.length;
    after_ms = last_ms;
    await nextTurn();
  }
  await folding?.end();
  return count;
}

/**
 * @param meters the meters of the property by their ids in the archive
 * @throws validation_failed, interval_overlap where the archive says what cannot be
 */
export async function rebuild(
  tx: Tx,
  property_id: number,
  author: Author,
  staging: Staging,
  meters: ReadonlyMap<number, MeterRow>,
): Promise<{ batch_id: number | null; entries: number; readings: number }> {
  const batch = new LongBatch(tx, property_id);
  const entries = await draw(staging, batch, meters);
  const batch_id = await batch.close(author);
  await insert(tx, staging);
  const rules = await rulesOfEach(tx, [...meters.values()]);
  let readings = 0;
  for (const [i, [archived_id, meter]] of [...meters].entries())
    readings += await fold(tx, staging, archived_id, meter, rules[i]!);
  return { batch_id, entries, readings };
}
