/** Streams a file of readings to the server. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { SingleBar } from 'cli-progress';
import type { Client } from '../client/index.ts';
import type { ImportProgress, ImportReport } from '../contract/imports.ts';
import { Failure } from './failure.ts';
import { table, wallTime } from './terminal.ts';

type Query = Omit<
  Parameters<Client['importReadings']>[0],
  'property_id' | 'content_type' | 'upload' | 'on_progress'
>;
type ContentType = Parameters<Client['importReadings']>[0]['content_type'];

/** What a file says of itself by its ending; the server looks at what is in it. */
const TYPES: Record<string, ContentType> = {
  '.csv': 'text/csv',
  '.tsv': 'text/tab-separated-values',
  '.txt': 'text/plain',
  '.xml': 'application/xml',
  '.xlsx': 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  '.ndjson': 'application/x-ndjson',
  '.jsonl': 'application/x-ndjson',
};

export interface Source {
  content_type: ContentType;
  bytes: AsyncIterable<Uint8Array>;
  /** How many bytes there are; null where that is not known. */
  size: number | null;
}

/** @param file a path, or - for standard input */
export async function openSource(file: string): Promise<Source> {
  const content_type = TYPES[extname(file).toLowerCase()] ?? 'application/octet-stream';
  if (file === '-') return { content_type, bytes: process.stdin, size: null };
  const found = await stat(file);
  if (found.isDirectory()) throw new Failure(`${file} is a folder: name a file.`);
  return { content_type, bytes: createReadStream(file), size: found.isFile() ? found.size : null };
}

const LAYOUT = '{phase} {bar} {percentage}% of {total} {what}';

/** A bar for each phase, one after another, on standard error. */
class Bars {
  readonly #bar = new SingleBar({
    format: LAYOUT,
    stream: process.stderr,
    clearOnComplete: true,
    linewrap: true,
  });
  #phase = '';

  show(phase: ImportProgress['phase'], value: number, total: number): void {
    if (phase !== this.#phase) {
      if (this.#phase) this.#bar.stop();
      this.#phase = phase;
      this.#bar.start(total, value, { phase, what: phase === 'receiving' ? 'bytes' : 'readings' });
    }
    this.#bar.update(value);
  }

  stop(): void {
    if (this.#phase) this.#bar.stop();
  }
}

async function* counted({ bytes, size }: Source, bars: Bars | null) {
  let sent = 0;
  for await (const chunk of bytes) {
    yield chunk;
    sent += chunk.length;
    if (size !== null) bars?.show('receiving', sent, size);
  }
}

/** @param show_progress show how far it has come, if standard error is a terminal */
export async function upload(
  client: Client,
  property_id: number,
  source: Source,
  query: Query = {},
  show_progress = false,
): Promise<ImportReport> {
  const bars = show_progress && process.stderr.isTTY ? new Bars() : null;
  try {
    return await client.importReadings({
      ...query,
      property_id,
      content_type: source.content_type,
      upload: ReadableStream.from(counted(source, bars)),
      // What is received is counted here, where it is sent: it is known sooner.
      on_progress: ({ phase, readings, total }) => {
        if (phase !== 'receiving' && total !== null) bars?.show(phase, readings, total);
      },
    });
  } finally {
    bars?.stop();
  }
}

function describeConflicts({ conflicts, conflicting }: ImportReport, time: (at: string) => string): string[] {
  const named = conflicts.map((each) => {
    const place = `line ${each.line}${each.column === null ? '' : `: ${each.column}`}`;
    const there = each.reading_id === null ? 'elsewhere in the file' : `in reading ${each.reading_id}`;
    const other = each.device_id === null ? there : `at the replacement of device ${each.device_id}`;
    return `  ${place}: ${each.meter_name} at ${time(each.reading_timestamp)} is ${each.value}, but ${each.recorded_value} ${other}`;
  });
  if (conflicting > conflicts.length) named.push(`  … and ${conflicting - conflicts.length} more`);
  return named;
}

function summary(report: ImportReport): string {
  const { recorded, unchanged, dry_run, importable } = report;
  if (!dry_run) return `${recorded} readings were recorded, ${unchanged} were there already.`;
  const found = `Nothing was recorded, this was a dry run: ${recorded} readings would be recorded, ${unchanged} are there already.`;
  return importable
    ? found
    : `${found}\nAs it is the file cannot be imported: see what conflicts or is refused.`;
}

/** A report as a table per meter, what stands against the import, and a sentence. */
export function describeImport(report: ImportReport, timezone: string): string {
  const time = (instant: string | null) => (instant === null ? '' : wallTime(instant, timezone));
  const { dry_run, errors, refused, plan } = report;
  const heading = ['meter', 'recorded', 'unchanged', 'flagged', 'first', 'last'];
  const rows = report.meters.map((meter) => [
    meter.created ? `${meter.name} (new)` : meter.name,
    ...[meter.recorded, meter.unchanged, meter.flagged].map(String),
    ...(dry_run ? [String(meter.repeated), String(meter.conflicting), meter.energy ?? '?'] : []),
    time(meter.first_reading_timestamp),
    time(meter.last_reading_timestamp),
  ]);
  if (dry_run) heading.splice(4, 0, 'repeated', 'conflicting', 'kWh');
  const explained = dry_run ? (plan.explained as string[]) : [];
  const wrong = errors.map(({ path, message }) => `  ${path}: ${message}`);
  if (refused > errors.length) wrong.push(`  … and ${refused - errors.length} more`);
  const conflicts = describeConflicts(report, time);
  return [
    ...(explained.length > 0 ? [explained.join('\n')] : []),
    table(heading, rows),
    ...(conflicts.length > 0 ? [`Conflicts:\n${conflicts.join('\n')}`] : []),
    ...(wrong.length > 0 ? [`Refused:\n${wrong.join('\n')}`] : []),
    summary(report),
  ].join('\n\n');
}
