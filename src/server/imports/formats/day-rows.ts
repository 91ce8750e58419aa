/** A row per day with a column for each half-hour or so becomes a row per reading, as everything else has them. */
import { hourNumber, isTimeOfDay } from './dates.ts';
import type { TableRow } from './layout.ts';

/** The shortest day has 23 hours; fewer columns of times are something else. */
const MIN_TIMES = 20;
const MAX_PREAMBLE = 30;

/** Columns that are headed by times of the day, or by the hours of one that begin with 0 or 1. */
function timesIn(cells: readonly string[]): number[] {
  const times = cells.flatMap((cell, i) => (isTimeOfDay(cell) ? [i] : []));
  if (times.length >= MIN_TIMES) return times;
  const first = cells.findIndex((cell, i) => {
    const hour = hourNumber(cell);
    return (hour === 0 || hour === 1) && hourNumber(cells[i + 1] ?? '') === hour + 1;
  });
  if (first < 0) return [];
  const from = hourNumber(cells[first]!)!;
  return cells.flatMap((cell, i) => (i >= first && hourNumber(cell) === from + i - first ? [i] : []));
}

/** @returns the same rows where no heading has a column for each time of the day */
export async function* byReading(rows: AsyncIterable<TableRow>): AsyncGenerator<TableRow> {
  let times: number[] = [];
  let heading: string[] = [];
  let others: number[] = [];
  let read = 0;
  for await (const row of rows) {
    read += 1;
    if (times.length === 0) {
      const found = read > MAX_PREAMBLE ? [] : timesIn(row.cells);
      if (found.length < MIN_TIMES) {
        yield row;
        continue;
      }
      times = found;
      heading = row.cells;
      const is_time = new Set(times);
      others = heading.flatMap((_, i) => (is_time.has(i) ? [] : [i]));
      yield { line: row.line, cells: [...others.map((at) => heading[at]!), 'time', 'consumption'] };
      continue;
    }
    const { line, cells } = row;
    const said = others.map((at) => cells[at] ?? '');
    // A day without its 25th hour has nothing there, as a row without its last cells.
    for (const at of times) if (cells[at]?.trim()) yield { line, cells: [...said, heading[at]!, cells[at]!] };
  }
}
