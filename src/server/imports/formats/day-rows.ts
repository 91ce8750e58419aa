/** A row per day with a column for each half-hour or so becomes a row per reading, as everything else has them. */
import { isTimeOfDay } from './dates.ts';
import type { TableRow } from './layout.ts';

/** The shortest day has 23 hours; fewer columns of times are something else. */
const MIN_TIMES = 20;
const MAX_PREAMBLE = 30;

/** @returns the same rows where no heading has a column for each time of the day */
export async function* byReading(rows: AsyncIterable<TableRow>): AsyncGenerator<TableRow> {
  let times: number[] = [];
  let heading: string[] = [];
  let read = 0;
  for await (const row of rows) {
    read += 1;
    if (times.length === 0) {
      const found = row.cells.flatMap((cell, i) => (isTimeOfDay(cell) ? [i] : []));
      if (read > MAX_PREAMBLE || found.length < MIN_TIMES) {
        yield row;
        continue;
      }
      times = found;
      heading = row.cells;
      const others = heading.filter((_, i) => !times.includes(i));
      yield { line: row.line, cells: [...others, 'time', 'consumption'] };
      continue;
    }
    const others = row.cells.filter((_, i) => !times.includes(i) && i < heading.length);
    for (const at of times) yield { line: row.line, cells: [...others, heading[at]!, row.cells[at] ?? ''] };
  }
}
