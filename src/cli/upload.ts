/** Streams a file of readings to the server. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { SingleBar } from 'cli-progress';
import type { Client } from '../client/index.ts';
import type { ImportReport } from '../contract/imports.ts';
import { Failure } from './failure.ts';
import { table, wallTime } from './terminal.ts';

export const FORMATS = { csv: 'text/csv', ndjson: 'application/x-ndjson' } as const;
export type Format = keyof typeof FORMATS;

const FORMAT_OF_ENDING: Record<string, Format> = { '.csv': 'csv', '.ndjson': 'ndjson', '.jsonl': 'ndjson' };

export interface Source {
  format: Format;
  bytes: AsyncIterable<Uint8Array>;
  /** How many bytes there are; null where that is not known. */
  size: number | null;
}

/** @param file a path, or - for standard input */
export async function openSource(file: string, given?: Format): Promise<Source> {
  const format = given ?? FORMAT_OF_ENDING[extname(file).toLowerCase()];
  if (!format) {
    const what = file === '-' ? 'What standard input holds' : `What ${file} holds`;
    throw new Failure(
      `${what} cannot be told from its name: it ends in .csv, .ndjson or .jsonl, or give --format.`,
      'usage',
    );
  }
  if (file === '-') return { format, bytes: process.stdin, size: null };
  const found = await stat(file);
  if (found.isDirectory()) throw new Failure(`${file} is a folder: name a file.`);
  return { format, bytes: createReadStream(file), size: found.isFile() ? found.size : null };
}

async function* counted(bytes: AsyncIterable<Uint8Array>, bar: SingleBar | null) {
  for await (const chunk of bytes) {
    yield chunk;
    bar?.increment(chunk.length);
  }
}

/** @param show_progress show a progress bar, if standard error is a terminal */
export async function upload(
  client: Client,
  property_id: number,
  { format, bytes, size }: Source,
  { dry_run = false, show_progress = false },
): Promise<ImportReport> {
  const is_shown = show_progress && size !== null && process.stderr.isTTY;
  const layout = '{bar} {percentage}% of {total} bytes';
  const bar = is_shown
    ? new SingleBar({ format: layout, stream: process.stderr, clearOnComplete: true, linewrap: true })
    : null;
  bar?.start(size!, 0);
  try {
    return await client.importReadings({
      property_id,
      dry_run,
      content_type: FORMATS[format],
      upload: ReadableStream.from(counted(bytes, bar)),
    });
  } finally {
    bar?.stop();
  }
}

export function describeImport(
  { meters, recorded, unchanged, dry_run }: ImportReport,
  timezone: string,
): string {
  const time = (instant: string | null) => (instant === null ? '' : wallTime(instant, timezone));
  const rows = meters.map((meter) => [
    meter.name,
    ...[meter.recorded, meter.unchanged, meter.flagged].map(String),
    time(meter.first_reading_timestamp),
    time(meter.last_reading_timestamp),
  ]);
  const sum = dry_run
    ? `Nothing was recorded, this was a dry run: ${recorded} readings would be recorded, ${unchanged} are there already.`
    : `${recorded} readings were recorded, ${unchanged} were there already.`;
  return `${table(['meter', 'recorded', 'unchanged', 'flagged', 'first', 'last'], rows)}\n\n${sum}`;
}
