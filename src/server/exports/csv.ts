/** Readings as CSV (RFC 4180), a reading a row. */
import { EXPORT_COLUMNS, type ExportLocale } from '../../contract/exports.ts';
import { formatInstant } from '../../core/time.ts';
import { formatKwh } from '../../core/units.ts';
import { type Exported, type ExportedReading, flagsOf, pagesOf } from './rows.ts';

/**
 * Text that a spreadsheet would take for a formula gets an apostrophe in front (OWASP: CSV injection). Numbers and
 * timestamps are never text here. An import takes the apostrophe off again.
 */
export function harmless(text: string): string {
  return /^[=+\-@\t\r\n']/.test(text) ? `'${text}` : text;
}

function cell(text: string, separator: string): string {
  return text.includes(separator) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function cellsOf(row: ExportedReading, comma: boolean): string[] {
  const value = formatKwh(row.value_wh);
  return [
    formatInstant(row.reading_timestamp),
    harmless(row.meter_name),
    row.meter_type,
    comma ? value.replace('.', ',') : value,
    harmless(row.recorded_by),
    row.kind,
    row.period_start === null ? '' : formatInstant(row.period_start),
    harmless(row.location ?? ''),
    flagsOf(row),
    row.source,
    harmless(row.note ?? ''),
    formatInstant(row.created_at),
    String(row.id),
    String(row.batch_id),
  ];
}

export async function* toCsv(exported: Exported, locale: ExportLocale): AsyncGenerator<string> {
  const comma = locale !== 'en';
  const separator = comma ? ';' : ',';
  const line = (cells: readonly string[]) =>
    `${cells.map((each) => cell(each, separator)).join(separator)}\r\n`;
  yield `${comma ? '\ufeff' : ''}${line(EXPORT_COLUMNS)}`;
  for await (const rows of pagesOf(exported, exported.meters)) {
    yield rows.map((row) => line(cellsOf(row, comma))).join('');
  }
}
