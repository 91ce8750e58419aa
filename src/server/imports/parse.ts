/** From the fields of an upload to readings of meters, collecting what is wrong line by line. */
import type { Readable } from 'node:stream';
import { MAX_IMPORTED_READINGS } from '../../contract/imports.ts';
import type { FieldError } from '../../contract/problem.ts';
import { asRecorded } from '../../core/reading.ts';
import { fold, tidy } from '../../core/text.ts';
import { MAX_AHEAD_MS, parseInstant } from '../../core/time.ts';
import { type Parsed, parseKwh } from '../../core/units.ts';
import { DomainError, invalid } from '../errors.ts';
import { parseStrictly } from '../http/json-body.ts';
import { checkNote } from '../http/validation.ts';
import type { MeterRow } from '../meters/store.ts';
import type { NewReading } from '../readings/record.ts';
import { csvRows, textLines } from './lines.ts';

const MAX_ERRORS = 100;
const MAX_NAMES = 10_000;
/** Of an inactive meter: the rest is counted. */
const MAX_LINES_NAMED = 10;
const NDJSON_FIELDS = ['meter', 'reading_timestamp', 'value', 'reading_type', 'period_start', 'note'];

/** The readings of an upload, and what is wrong with it. */
export class Upload {
  readonly readings = new Map<MeterRow, NewReading[]>();
  readonly errors: FieldError[] = [];
  readonly #meters: Map<string, MeterRow>;
  readonly #latest_ms: number;
  /** What the upload has for meters that take no readings, by meter. */
  readonly inactive = new Map<MeterRow, { lines: number[]; count: number }>();
  readonly #retired: Map<string, MeterRow>;
  /** Names as they were sent: a file names few meters many times. */
  readonly #named = new Map<string, MeterRow>();
  #count = 0;

  /** @param meters those of the property; @param now_ms readings may lie a little ahead of it */
  constructor(meters: readonly MeterRow[], now_ms: number) {
    this.#meters = new Map(meters.filter((m) => m.is_active).map((meter) => [meter.name_folded, meter]));
    this.#retired = new Map(meters.filter((m) => !m.is_active).map((meter) => [meter.name_folded, meter]));
    this.#latest_ms = now_ms + MAX_AHEAD_MS;
  }

  refuse(path: string, message: string): void {
    this.errors.push({ path, message });
    if (this.errors.length >= MAX_ERRORS) throw invalid(this.errors);
  }

  take<T>(path: string, parsed: Parsed<T>): T | null {
    if (parsed.ok) return parsed.value;
    this.refuse(path, parsed.message);
    return null;
  }

  instant(path: string, input: unknown): number | null {
    const instant_ms = this.take(path, parseInstant(input));
    if (instant_ms === null || instant_ms <= this.#latest_ms) return instant_ms;
    this.refuse(path, 'lies in the future: a reading is recorded once it has been read');
    return null;
  }

  /** The active meter of a name; null, and remembered, where there is none. */
  meter(line: number, path: string, name: string): MeterRow | null {
    let meter = this.#named.get(name);
    if (!meter) {
      const folded = fold(tidy(name));
      meter = this.#meters.get(folded) ?? this.#retired.get(folded);
      if (meter && this.#named.size < MAX_NAMES) this.#named.set(name, meter);
    }
    if (!meter) {
      const names = [...this.#meters.values()].map((m) => m.name).join(', ');
      this.refuse(path, `names ${JSON.stringify(name)}, which is no active meter of this property: ${names}`);
      return null;
    }
    if (meter.sub_meter_kind === 'virtual') {
      this.refuse(path, `names ${meter.name}, a virtual meter: it is computed, not read`);
      return null;
    }
    if (meter.is_active) return meter;
    const found = this.inactive.get(meter) ?? { lines: [], count: 0 };
    this.inactive.set(meter, found);
    found.count += 1;
    if (found.lines.length < MAX_LINES_NAMED) found.lines.push(line);
    return null;
  }

  add(meter: MeterRow, reading: NewReading): void {
    this.#count += 1;
    if (this.#count > MAX_IMPORTED_READINGS) {
      const message = `An import takes at most ${MAX_IMPORTED_READINGS} readings: split the file.`;
      throw new DomainError('body_too_large', message);
    }
    const readings = this.readings.get(meter);
    if (readings) readings.push(reading);
    else this.readings.set(meter, [reading]);
  }
}

/** A `timestamp` column and one column per meter. An empty cell is a meter that was not read then. */
export async function parseCsv(upload: Upload, body: Readable): Promise<void> {
  let columns: (MeterRow | null)[] | null = null;
  for await (const { line, cells } of csvRows(body)) {
    const [first = '', ...rest] = cells;
    if (columns === null) {
      if (!['timestamp', 'reading_timestamp'].includes(fold(first.replace('\ufeff', '').trim()))) {
        upload.refuse(`line ${line}`, 'must begin with a column headed timestamp, then one column per meter');
        return;
      }
      columns = rest.map((name) => upload.meter(line, `line ${line}`, name));
      const repeated = columns.find((meter, i) => meter && columns!.indexOf(meter) < i);
      if (repeated) upload.refuse(`line ${line}`, `heads two columns ${repeated.name}`);
      if (columns.length === 0) upload.refuse(`line ${line}`, 'names no meter: add a column per meter');
      if (upload.errors.length > 0 || upload.inactive.size > 0) return;
      continue;
    }
    if (rest.length !== columns.length) {
      upload.refuse(`line ${line}`, `has ${cells.length} cells, the heading has ${columns.length + 1}`);
      continue;
    }
    const reading_timestamp = upload.instant(`line ${line}: timestamp`, first.trim());
    for (const [i, meter] of columns.entries()) {
      const cell = rest[i]!.trim();
      if (cell === '') continue;
      const value_wh = upload.take(`line ${line}: ${meter!.name}`, parseKwh(cell));
      if (reading_timestamp === null || value_wh === null) continue;
      const place = `Line ${line}: `;
      upload.add(meter!, { ...asRecorded('absolute', reading_timestamp, value_wh), note: null, place });
    }
  }
  if (columns === null) upload.refuse('line 1', 'is empty: the file has no heading');
}

function parseObject(upload: Upload, line: number, text: string): Record<string, unknown> | null {
  let value: unknown = null;
  let reason = '';
  try {
    value = parseStrictly(text);
  } catch (error) {
    reason = `: ${(error as Error).message}`;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  upload.refuse(`line ${line}`, `is not a JSON object${reason}`);
  return null;
}

/** One JSON object a line, the fields as in a single reading, the meter by its name. */
export async function parseNdjson(upload: Upload, body: Readable): Promise<void> {
  for await (const { line, text } of textLines(body)) {
    const object = parseObject(upload, line, text);
    if (!object) continue;
    const at = (field: string) => `line ${line}: ${field}`;
    const errors_before = upload.errors.length;
    for (const field of Object.keys(object)) {
      if (!NDJSON_FIELDS.includes(field)) upload.refuse(at(field), 'is not a field of a reading');
    }
    const { meter: name, reading_type = 'absolute', note = null } = object;
    const meter = upload.meter(line, at('meter'), typeof name === 'string' ? name : '');
    const reading_timestamp = upload.instant(at('reading_timestamp'), object.reading_timestamp);
    const value_wh = upload.take(at('value'), parseKwh(object.value));
    const period_start =
      object.period_start == null ? null : upload.take(at('period_start'), parseInstant(object.period_start));
    if (reading_type !== 'absolute' && reading_type !== 'relative') {
      upload.refuse(at('reading_type'), 'must be one of absolute, relative');
    } else if (period_start !== null && reading_type === 'absolute') {
      upload.refuse(at('period_start'), 'goes with reading_type relative only: a register has no period');
    }
    if (period_start !== null && reading_timestamp !== null && period_start >= reading_timestamp) {
      upload.refuse(at('period_start'), 'must be earlier than reading_timestamp');
    }
    const noted = note === null || (typeof note === 'string' && note.length <= 2000 && !checkNote(note, {}));
    if (!noted)
      upload.refuse(at('note'), 'must be a text of at most 2000 characters, none of them control characters');
    if (meter === null || upload.errors.length > errors_before) continue;
    upload.add(meter, {
      ...asRecorded(reading_type as 'absolute' | 'relative', reading_timestamp!, value_wh!, period_start),
      note: note === null ? null : tidy(note as string) || null,
      place: `Line ${line}: `,
    });
  }
}
