/** What the columns of a table are for: by their headings first, and by what stands in them. */
import { fold } from '../../../core/text.ts';
import { invalid } from '../../errors.ts';
import { isNumber } from './amounts.ts';
import { hourNumber, isDate, isTimeOfDay, timeIn } from './dates.ts';
import { isOther, isPower, kindOf, says, saysEnd, saysStart, type TableRole, unitOf } from './words.ts';

/** Those that a person may name, and those that only their headings tell. */
export type Role = TableRole | 'period_end' | 'register' | 'unit';
type Roles = Partial<Record<Role, number>>;

/** Which column has which role, and which are meters. */
export interface Columns {
  roles: Roles;
  /** Columns of values that are headed by the name of a meter; none where a row names its meter. */
  meters: number[];
  /** Columns of numbers that are not read. */
  left_out: number[];
}

/** The sample of a table, by columns. */
class Sample {
  readonly headings: readonly string[];
  readonly #rows: readonly (readonly string[])[];
  constructor(headings: readonly string[], rows: readonly (readonly string[])[]) {
    this.headings = headings;
    this.#rows = rows;
  }

  cells(at: number): string[] {
    return this.#rows.map((row) => row[at]?.trim() ?? '').filter((cell) => cell !== '');
  }

  /** A cell that cannot be read is an error in its column, and makes no other column of it. */
  most(at: number, is: (cell: string) => boolean): boolean {
    const cells = this.cells(at);
    return cells.length > 0 && cells.filter(is).length * 2 >= cells.length;
  }

  /** The first column that is still free, headed so and filled so. */
  find(
    taken: Roles,
    headed: (heading: string) => boolean,
    is?: (cell: string) => boolean,
  ): number | undefined {
    const used = Object.values(taken);
    const at = this.headings.findIndex(
      (heading, i) => !used.includes(i) && headed(heading) && (!is || this.most(i, is)),
    );
    return at < 0 ? undefined : at;
  }

  listed(): string {
    return this.headings.join(', ').slice(0, 200);
  }
}

function wished(headings: readonly string[], wishes: Readonly<Record<string, string>>): Roles {
  const roles: Roles = {};
  for (const [role, heading] of Object.entries(wishes)) {
    const at = headings.findIndex((each) => fold(each) === fold(heading.trim()));
    if (at < 0) {
      const message = `names ${JSON.stringify(heading)}, which heads no column: ${headings.join(', ').slice(0, 200)}`;
      throw invalid([{ path: 'columns', message }]);
    }
    roles[role as TableRole] = at;
  }
  return roles;
}

/** Moments: in one column or two, of a reading or of both ends of an interval. */
function assignTimes(sample: Sample, roles: Roles): void {
  const isHour = (cell: string) => hourNumber(cell) !== null;
  if (roles.timestamp === undefined && roles.date === undefined) {
    const start = sample.find(roles, saysStart, isDate);
    const end = sample.find(roles, saysEnd, isDate);
    const stamp = start ?? sample.find(roles, (heading) => says(heading, 'timestamp'), isDate) ?? end;
    const date = sample.find(roles, (heading) => says(heading, 'date'), isDate);
    const at = stamp ?? date ?? sample.find(roles, () => true, isDate);
    if (at === undefined) {
      const message = `timestamp: the file has no column of dates that could be read: ${sample.listed()}`;
      throw invalid([{ path: 'columns', message }]);
    }
    roles[stamp === undefined && date !== undefined ? 'date' : 'timestamp'] = at;
    if (start !== undefined && end !== undefined && roles.period_start === undefined) roles.period_end = end;
  }
  const dates = roles.timestamp ?? roles.date!;
  if (roles.time !== undefined || sample.most(dates, timeIn)) return;
  const time =
    sample.find(roles, saysStart, isTimeOfDay) ??
    sample.find(roles, (heading) => says(heading, 'time') || says(heading, 'timestamp'), isTimeOfDay) ??
    sample.find(roles, (heading) => says(heading, 'time'), isHour) ??
    sample.find(roles, saysEnd, isTimeOfDay);
  if (time === undefined) return;
  roles.time = time;
  // Whole days' ends say nothing of hours.
  delete roles.period_end;
}

function refusePower(sample: Sample, numeric: readonly number[]): void {
  const power = numeric.find((at) => isPower(sample.headings[at]!));
  if (power === undefined) return;
  const heading = JSON.stringify(sample.headings[power]!.slice(0, 100));
  const message = `value: ${heading} is power, not energy. Ask for energy in kWh, or say unit=kwh if it is that`;
  throw invalid([{ path: 'columns', message }]);
}

/**
 * @param rows of the sample, below the heading
 * @param is_energy whether somebody has said the unit
 * @throws validation_failed where no column has times or values, or the values are power
 */
export function assignColumns(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  wishes: Readonly<Record<string, string>> = {},
  is_energy = false,
): Columns {
  const sample = new Sample(headings, rows);
  const roles = wished(headings, wishes);
  assignTimes(sample, roles);
  const isWord = (cell: string) => !isNumber(cell);
  for (const role of ['meter', 'value', 'note', 'reading_type', 'register', 'unit'] as const) {
    const is = role === 'value' ? isNumber : role === 'register' || role === 'unit' ? isWord : undefined;
    const isHeaded = (heading: string) =>
      says(heading, role) && (role !== 'value' || is_energy || !isPower(heading));
    const at = roles[role] ?? sample.find(roles, isHeaded, is);
    if (at !== undefined) roles[role] = at;
  }
  const free = () =>
    headings.flatMap((_, i) =>
      !Object.values(roles).includes(i) && sample.cells(i).some(isNumber) ? [i] : [],
    );
  const isEnergy = (at: number) =>
    !isOther(headings[at]!) && !isEnd(headings[at]!) && (is_energy || !isPower(headings[at]!));
  const isEnd = (heading: string) => saysEnd(heading) || saysStart(heading);
  const energies = free().filter(isEnergy);
  if (roles.value === undefined) {
    if (energies.length === 0) refusePower(sample, free());
    const told = energies.find(
      (at) => unitOf(headings[at]!) && (roles.meter !== undefined || kindOf(headings[at]!)),
    );
    const at = told ?? (roles.meter !== undefined && energies.length === 1 ? energies[0] : undefined);
    if (at !== undefined) roles.value = at;
  }
  if (roles.value === undefined && roles.meter === undefined)
    return { roles, meters: energies, left_out: free().filter((at) => !energies.includes(at)) };
  if (roles.value === undefined) {
    const message = `value: which column has the values? There are ${sample.listed()}`;
    throw invalid([{ path: 'columns', message }]);
  }
  const others = energies.filter((at) => at !== roles.value);
  // Several columns of numbers and no names of meters: each is a meter of its own.
  if (roles.meter === undefined && others.length > 0 && !wishes.value) {
    const { value, ...rest } = roles;
    return {
      roles: rest,
      meters: [value, ...others].sort((a, b) => a - b),
      left_out: free().filter((at) => !others.includes(at)),
    };
  }
  return { roles, meters: [], left_out: free() };
}
