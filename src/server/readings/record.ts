/** Adds entries to the ledger and keeps the projection right, in the caller's transaction. */

import type { FieldError } from '../../contract/problem.ts';
import type { ChainedEntry } from '../../core/chain.ts';
import { type Device, deviceAt, type Recorded } from '../../core/reading.ts';
import { formatInstant } from '../../core/time.ts';
import { formatKwh } from '../../core/units.ts';
import type { Tx } from '../db/tables.ts';
import { together } from '../db/together.ts';
import { DomainError, invalid } from '../errors.ts';
import { type Author, type Draft, draft, drawBatch, insertDrawn } from '../ledger/write.ts';
import type { MeterRow } from '../meters/store.ts';
import { lookAround, projectAll } from '../projection/project.ts';
import type * as projection from '../projection/store.ts';
import { exceedsRegister, tooManyDigits } from './register.ts';

/** A reading to record; `place` says where it stands in what was sent, for errors: empty, or "line 17: ". */
export type NewReading = Recorded & { note: string | null; photo_sha256?: string | null; place: string };

/** What recording did to one meter. */
export interface RecordedMeter {
  meter: MeterRow;
  /** Readings added, in order of time. */
  recorded: projection.StoredReading[];
  /** Readings that were there already, with the same value. */
  unchanged: projection.StoredReading[];
  /** Readings whose flag appeared. */
  flagged: number;
}

/** What recording did. */
export interface Recording {
  /** Null if every reading was there already. */
  batch_id: number | null;
  /** The batch's entries: those of the readings added, meter by meter. */
  entries: ChainedEntry[];
  meters: RecordedMeter[];
}

/** Whether two readings of one instant say the same. */
export function isSame(a: Recorded, b: Recorded): boolean {
  return a.value_wh === b.value_wh && a.reading_type === b.reading_type && a.period_start === b.period_start;
}

/** @param reading_id of the reading that is there; undefined where both were sent */
export function conflict(
  meter: MeterRow,
  sent: NewReading,
  there: Recorded,
  reading_id: number | undefined,
): DomainError {
  const at = formatInstant(sent.reading_timestamp);
  if (there.reading_type === 'replacement') {
    const detail = `${sent.place}the device of ${meter.name} was replaced at ${at} (device ${reading_id}): `;
    const message = `${detail}record the reading a minute before or after.`;
    return new DomainError('reading_conflict', message, { device_id: reading_id! });
  }
  const named = reading_id === undefined ? '' : ` (reading ${reading_id})`;
  return new DomainError(
    'reading_conflict',
    `${sent.place}${meter.name} has the ${there.reading_type} value ${formatKwh(there.value_wh)} kWh at ${at}${named}, ` +
      `not ${formatKwh(sent.value_wh)} kWh: correct that reading if it is wrong.`,
    reading_id === undefined ? {} : { reading_id },
  );
}

/** Tells new readings from those that are there already; throws reading_conflict where values differ. */
function sortOut(meter: MeterRow, sent: readonly NewReading[], stored: readonly projection.StoredReading[]) {
  const there = new Map(stored.map((row) => [row.reading_timestamp, row]));
  const unchanged: projection.StoredReading[] = [];
  const fresh: NewReading[] = [];
  for (const reading of sent) {
    const row = there.get(reading.reading_timestamp);
    const twin = fresh.at(-1);
    if (row) {
      if (!isSame(row, reading)) throw conflict(meter, reading, row, row.entry_id);
      unchanged.push(row);
    } else if (twin?.reading_timestamp === reading.reading_timestamp) {
      if (!isSame(twin, reading)) throw conflict(meter, reading, twin, undefined);
    } else {
      fresh.push(reading);
    }
  }
  return { fresh, unchanged };
}

const MAX_ERRORS = 100;

/** Says which of a meter's readings its devices cannot show. */
function unshowable(
  { name }: MeterRow,
  readings: readonly NewReading[],
  devices: readonly Device[],
  pathOf: (reading: NewReading) => string,
): FieldError[] {
  if (devices.every(({ digits }) => digits === null)) return [];
  return readings.flatMap((reading) => {
    if (reading.reading_type !== 'absolute') return [];
    const device = deviceAt(devices, reading.reading_timestamp);
    if (!exceedsRegister(device, reading.value_wh)) return [];
    return [{ path: pathOf(reading), message: tooManyDigits(name, device, reading.value_wh) }];
  });
}

function toDraft(meter: MeterRow, reading: NewReading): Draft {
  const { reading_type, reading_timestamp, value_wh, period_start, note, photo_sha256 = null } = reading;
  const said = { reading_timestamp, value_wh, period_start, note, photo_sha256 };
  return draft({ meter_id: meter.id, kind: reading_type, ...said });
}

/**
 * Records readings of one property as one batch, whole or not at all. The property must be locked (lockProperty). The
 * number of statements does not depend on how many meters there are.
 * @param sent per meter, at least one reading each, in any order
 * @param pathOf the field of the request that a reading's value came in, for errors
 * @returns per meter what happened; no batch is written if every reading was there already
 */
export async function record(
  tx: Tx,
  property_id: number,
  author: Author,
  sent: ReadonlyMap<MeterRow, NewReading[]>,
  pathOf: (meter: MeterRow, reading: NewReading) => string,
): Promise<Recording> {
  const spans = [...sent].map(([meter, readings]) => {
    readings.sort((a, b) => a.reading_timestamp - b.reading_timestamp);
    const [first, last] = [readings[0]!, readings.at(-1)!];
    return { meter, first_ms: first.reading_timestamp, last_ms: last.reading_timestamp };
  });
  const around = await lookAround(tx, property_id, spans);
  const sorted = [...sent].map(([meter, readings], i) => ({
    meter,
    around: around[i]!,
    ...sortOut(meter, readings, around[i]!.between),
  }));
  const errors = sorted.flatMap(({ meter, fresh, around }) =>
    unshowable(meter, fresh, around.rules.devices, (reading) => pathOf(meter, reading)),
  );
  if (errors.length > 0) throw invalid(errors.slice(0, MAX_ERRORS));
  const drafts = sorted.flatMap(({ meter, fresh }) => fresh.map((reading) => toDraft(meter, reading)));
  if (drafts.length === 0) {
    const meters = sorted.map(({ meter, unchanged }) => ({ meter, recorded: [], unchanged, flagged: 0 }));
    return { batch_id: null, entries: [], meters };
  }
  const drawn = await drawBatch(tx, property_id, author, drafts);
  let next = 0;
  const changed = sorted.filter(({ fresh }) => fresh.length > 0);
  const changes = changed.map(({ meter, fresh }) => ({
    meter,
    added: fresh.map(({ place: _, note: __, photo_sha256: ___, ...reading }) => ({
      ...reading,
      entry_id: drawn.entries[next++]!.id,
    })),
    removed: [],
  }));
  const [, folded] = await together([
    insertDrawn(tx, drawn),
    projectAll(
      tx,
      property_id,
      changes,
      changed.map((each) => each.around),
    ),
  ]);
  const done = new Map(changed.map(({ meter }, i) => [meter, folded[i]!]));
  const meters = sorted.map(({ meter, unchanged }) => {
    const { fresh: recorded, flagged } = done.get(meter) ?? { fresh: [], flagged: 0 };
    return { meter, recorded, unchanged, flagged };
  });
  return { batch_id: drawn.batch.id, entries: drawn.entries, meters };
}
