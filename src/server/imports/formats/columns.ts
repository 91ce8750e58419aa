/** What the columns of a table are for: by their headings first, and by what stands in them. */
import { fold } from '../../../core/text.ts';
import { invalid } from '../../errors.ts';
import { isNumber, type Unit } from './amounts.ts';
import { isDate, isTimeOfDay } from './dates.ts';

export const TABLE_ROLES = [
  'timestamp',
  'date',
  'time',
  'period_start',
  'meter',
  'value',
  'note',
  'reading_type',
] as const;
export type TableRole = (typeof TABLE_ROLES)[number];

const WORDS: Partial<Record<TableRole, readonly string[]>> = {
  timestamp: [
    'timestamp',
    'reading_timestamp',
    'datetime',
    'date time',
    'date/time',
    'readdatetime',
    'read datetime',
    'start',
    'start time',
    'end time',
    'zeitstempel',
    'zeitpunkt',
    'tidpunkt',
    'tidsstämpel',
    'period',
    'interval start',
    'interval end',
  ],
  date: ['date', 'datum', 'reading date', 'read date', 'tag', 'dag'],
  time: ['time', 'zeit', 'uhrzeit', 'tid', 'klockslag'],
  meter: [
    'meter',
    'meter_name',
    'meter name',
    'meter number',
    'meter id',
    'mpr',
    'mpan',
    'mprn',
    'zähler',
    'zählernummer',
    'mätare',
    'mätarnummer',
    'statistic_id',
    'entity_id',
    'anläggning',
    'messlokation',
  ],
  value: [
    'value',
    'state',
    'kwh',
    'wh',
    'mwh',
    'consumption',
    'usage',
    'energy',
    'reading',
    'register',
    'verbrauch',
    'wert',
    'zählerstand',
    'stand',
    'förbrukning',
    'värde',
    'mätarställning',
    'energi',
    'import',
  ],
  note: ['note', 'notes', 'comment', 'kommentar', 'bemerkung', 'anteckning'],
  reading_type: ['reading_type'],
};
const REGISTER_WORDS = /\b(register|state|zählerstand|stand|mätarställning|reading)\b/;
const INTERVAL_WORDS = /\b(consumption|usage|verbrauch|förbrukning)\b/;
const UNIT = /(?:^|[\s([])(k|M|m)?Wh\b[)\]]?/i;

/** A heading without the unit behind it: a meter's name. */
export function nameOf(heading: string): string {
  return heading.replace(/\s*[([](?:k|M|m)?Wh[)\]]\s*$/i, '').trim();
}

export function unitOf(heading: string): Unit | null {
  const match = UNIT.exec(heading);
  if (!match) return null;
  const prefix = match[1]?.toLowerCase();
  return prefix === 'k' ? 'kWh' : prefix === 'm' ? 'MWh' : 'Wh';
}

export function kindOf(heading: string): 'absolute' | 'relative' | null {
  const word = fold(heading);
  if (INTERVAL_WORDS.test(word)) return 'relative';
  return REGISTER_WORDS.test(word) ? 'absolute' : null;
}

/** Which column has which role, and which are meters. */
export interface Columns {
  roles: Partial<Record<TableRole, number>>;
  /** Columns of values that are headed by the name of a meter; none where a row names its meter. */
  meters: number[];
}

function wished(headings: readonly string[], wishes: Readonly<Record<string, string>>): Columns['roles'] {
  const roles: Columns['roles'] = {};
  for (const [role, heading] of Object.entries(wishes)) {
    const at = headings.findIndex((each) => fold(each) === fold(heading.trim()));
    if (at < 0) {
      const message = `names ${JSON.stringify(heading)}, which heads no column: ${headings.join(', ')}`;
      throw invalid([{ path: 'columns', message }]);
    }
    roles[role as TableRole] = at;
  }
  return roles;
}

/** @param rows of the sample, below the heading; throws validation_failed where no column has times */
export function assignColumns(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  wishes: Readonly<Record<string, string>> = {},
): Columns {
  const cells = (at: number) => rows.map((row) => row[at]?.trim() ?? '').filter((cell) => cell !== '');
  const roles = wished(headings, wishes);
  const taken = () => Object.values(roles);
  // A cell that cannot be read is an error in its column, and makes no other column of it.
  const most = (at: number, is: (cell: string) => boolean) => {
    const list = cells(at);
    return list.length > 0 && list.filter(is).length * 2 >= list.length;
  };
  const words = headings.map((heading) => fold(nameOf(heading)));
  for (const role of TABLE_ROLES) {
    const at = words.findIndex((word, i) => !taken().includes(i) && WORDS[role]?.includes(word));
    if (at >= 0 && roles[role] === undefined) roles[role] = at;
  }
  // Headings may say anything: what stands below decides.
  for (const role of ['timestamp', 'date'] as const)
    if (roles[role] !== undefined && !wishes[role] && !most(roles[role], isDate)) delete roles[role];
  if (roles.time !== undefined && !most(roles.time, isTimeOfDay)) delete roles.time;
  if (roles.timestamp === undefined && roles.date === undefined) {
    const at = headings.findIndex((_, i) => !taken().includes(i) && most(i, isDate));
    if (at < 0) {
      const message = `has no column of dates that could be read: ${headings.join(', ').slice(0, 200)}`;
      throw invalid([{ path: 'columns', message: `timestamp: the file ${message}` }]);
    }
    roles.timestamp = at;
  }
  if (roles.timestamp !== undefined && roles.date !== undefined && !wishes.date) delete roles.date;
  const numeric = headings.flatMap((_, i) => (!taken().includes(i) && cells(i).some(isNumber) ? [i] : []));
  if (roles.meter === undefined && roles.value === undefined) return { roles, meters: numeric };
  if (roles.value === undefined && numeric.length === 1) roles.value = numeric[0]!;
  if (roles.value === undefined) {
    const message = `value: which column has the values? There are ${headings.join(', ').slice(0, 200)}`;
    throw invalid([{ path: 'columns', message }]);
  }
  // Several columns of numbers and no names of meters: each is a meter of its own.
  if (roles.meter === undefined && numeric.length > 0 && !wishes.value) {
    const { value, ...others } = roles;
    return { roles: others, meters: [value, ...numeric].sort((a, b) => a - b) };
  }
  return { roles, meters: [] };
}
