/** The tables that Electric itself writes, which are read strictly and need no guesses. */
import { EXPORT_COLUMNS } from '../../../contract/exports.ts';
import { fold } from '../../../core/text.ts';
import type { Columns } from './columns.ts';
import type { Layout } from './layout.ts';
import { kindOf, says, TABLE_ROLES, unitOf } from './words.ts';

/** Longer ones are refused. */
const MAX_HEADING = 500;
const STAMPS = ['timestamp', 'reading_timestamp'];

/** What its heading separates by, if the file that begins like this may be one of them; else null. */
export function ownDelimiter(begins: string): ',' | ';' | null {
  const exported = EXPORT_COLUMNS.slice(0, 5).join(';');
  if (begins.startsWith(exported)) return ';';
  return /^"?(reading_)?timestamp"?\s*(,|\r|\n|$)/i.test(begins) ? ',' : null;
}

/** A table of somebody else may have the same first heading: its others say that they are no meters. */
function isForeign(headings: readonly string[]): boolean {
  const [only, ...more] = headings;
  if (more.length === 0)
    return only !== undefined && (says(only, 'value') || unitOf(only) !== null || kindOf(only) !== null);
  return headings.some((each) => says(each, 'meter')) && headings.some((each) => says(each, 'value'));
}

/** @returns how an own table with this heading is read; null if it is somebody else's */
export function ownLayout(heading: readonly string[], delimiter: string, zone: string): Layout | null {
  const headings = heading.map((cell) => cell.slice(0, MAX_HEADING).trim());
  const [first = '', ...others] = headings;
  if (!STAMPS.includes(fold(first))) return null;
  const is_export = EXPORT_COLUMNS.every((column) => headings.includes(column));
  if (!is_export && (delimiter !== ',' || isForeign(others))) return null;
  const named = is_export
    ? TABLE_ROLES.map((role) => [role, headings.indexOf(role === 'meter' ? 'meter_name' : role)] as const)
    : [];
  const roles: Columns['roles'] = is_export
    ? Object.fromEntries(named.filter(([, at]) => at >= 0))
    : { timestamp: 0 };
  return {
    headings: is_export ? headings : ['timestamp', ...others],
    columns: { roles, meters: is_export ? [] : others.map((_, i) => i + 1), left_out: [] },
    ...{ is_own: true, order: 'ymd', decimal: delimiter === ';' ? ',' : '.', timezone: zone, unit: 'kWh' },
    ...{
      reading_type: is_export ? null : 'absolute',
      label: 'end',
      step_ms: null,
      end_add_ms: 0,
      shift_ms: 0,
    },
    ...{ counts_hours: false, is_ascending: true, round: false, meter: '' },
  };
}

/** Text as a CSV has it, so that a leading apostrophe is told from one that was put there. */
export function asText(text: string): string {
  return /^[=+\-@\t\r\n']/.test(text) ? `'${text}` : text;
}

/** Text that would have been a formula has an apostrophe in front, and so has what began with one. */
export function asWritten(text: string): string {
  return /^'[=+\-@\t\r\n']/.test(text) ? text.slice(1) : text;
}
