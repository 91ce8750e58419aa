/** One JSON object a line, the fields as in a single reading, the meter by its name. */
import { tidy } from '../../../core/text.ts';
import { parseInstant } from '../../../core/time.ts';
import { type Parsed, parseKwh } from '../../../core/units.ts';
import { parseStrictly } from '../../http/json-body.ts';
import { checkNote } from '../../http/validation.ts';
import type { Found, Opened } from './format.ts';
import { counting, textLines } from './lines.ts';

const LINES_AT_ONCE = 1000;
/** No name of a meter is longer. */
const MAX_NAME = 500;
const FIELDS = ['meter', 'reading_timestamp', 'value', 'reading_type', 'period_start', 'note'];
/** What an export says beside: it belongs to the ledger that the reading came from. */
const IGNORED = [
  'meter_type',
  'location',
  'flags',
  'source',
  'recorded_by',
  'recorded_at',
  'reading_id',
  'batch_id',
];

function readObject(line: number, text: string, found: Found): Record<string, unknown> | null {
  let value: unknown = null;
  let reason = '';
  try {
    value = parseStrictly(text);
  } catch (error) {
    reason = `: ${(error as Error).message}`;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  found.errors.push({ line, column: null, message: `is not a JSON object${reason}` });
  return null;
}

function readLine(line: number, text: string, found: Found): void {
  const object = readObject(line, text, found);
  if (!object) return;
  const errors_before = found.errors.length;
  const refuse = (column: string, message: string) => found.errors.push({ line, column, message });
  const take = <T>(column: string, parsed: Parsed<T>): T | null => {
    if (parsed.ok) return parsed.value;
    refuse(column, parsed.message);
    return null;
  };
  for (const field of Object.keys(object)) {
    if (!FIELDS.includes(field) && !IGNORED.includes(field)) refuse(field, 'is not a field of a reading');
  }
  const { meter, reading_type = 'absolute', note = null } = object;
  if (typeof meter !== 'string' || meter.length > MAX_NAME) refuse('meter', 'must be the name of a meter');
  const reading_timestamp = take('reading_timestamp', parseInstant(object.reading_timestamp));
  const value_wh = take('value', parseKwh(object.value));
  const period_start =
    object.period_start == null ? null : take('period_start', parseInstant(object.period_start));
  if (reading_type !== 'absolute' && reading_type !== 'relative') {
    refuse('reading_type', 'must be one of absolute, relative');
  } else if (period_start !== null && reading_type === 'absolute') {
    refuse('period_start', 'goes with reading_type relative only: a register has no period');
  }
  if (period_start !== null && reading_timestamp !== null && period_start >= reading_timestamp)
    refuse('period_start', 'must be earlier than reading_timestamp');
  const noted = note === null || (typeof note === 'string' && note.length <= 2000 && !checkNote(note, {}));
  if (!noted) refuse('note', 'must be a text of at most 2000 characters, none of them control characters');
  if (found.errors.length > errors_before) return;
  found.readings.push({
    ...{ line, column: 'value', meter: meter as string, value_wh: value_wh!, period_start },
    reading_type: reading_type as 'absolute' | 'relative',
    reading_timestamp: reading_timestamp!,
    note: note === null ? null : tidy(note as string) || null,
  });
}

async function* readLines(body: AsyncIterable<Uint8Array>) {
  const count = { bytes: 0 };
  let found: Found = { readings: [], errors: [], bytes: 0 };
  let read = 0;
  for await (const { line, text } of textLines(counting(body, count))) {
    readLine(line, text, found);
    read += 1;
    if (read % LINES_AT_ONCE !== 0) continue;
    yield { ...found, bytes: count.bytes };
    found = { readings: [], errors: [], bytes: 0 };
  }
  yield { ...found, bytes: count.bytes };
}

export function openNdjson(body: AsyncIterable<Uint8Array>, zone: string): Opened {
  return {
    plan: {
      ...{ format: 'ndjson', layout: 'long', meters: [] },
      columns: { timestamp: 'reading_timestamp', meter: 'meter', value: 'value' },
      explained: ['A JSON object on each line.'],
      ...{ delimiter: null, decimal: '.', date_format: null, timezone: zone, unit: 'kWh' },
      ...{ reading_type: null, label: null, encoding: 'utf-8', round: false, heading_line: null },
    },
    readings: readLines(body),
  };
}
