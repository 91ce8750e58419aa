/** NEM12, Australia's meter data: days of intervals below the data streams they belong to, as rows of a table. */
import { invalid } from '../../errors.ts';
import type { TableRow } from './layout.ts';

const DAY_MINUTES = 1440;
const HEADING = ['date', 'time', 'nmi', 'register', 'unit', 'consumption'];

/** Market time has no summer time. */
export const NEM12_ZONE = '+10:00';
export const isNem12 = (begins: string) => /^100,NEM12,/.test(begins);

const clock = (minutes: number) =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;

/** @returns a heading, and a row per interval that ends at its time; 400, 500 and 900 have no values */
export async function* nem12Rows(rows: AsyncIterable<TableRow>): AsyncGenerator<TableRow> {
  let stream = { nmi: '', register: '', unit: '', minutes: 30 };
  for await (const { line, cells } of rows) {
    const [kind, first = ''] = cells;
    if (kind === '100') yield { line, cells: HEADING };
    if (kind === '200') {
      const minutes = Number(cells[8]);
      if (![1, 5, 10, 15, 30, 60].includes(minutes))
        throw invalid([
          { path: `line ${line}`, message: 'must have 5, 15 or 30 minutes as its IntervalLength' },
        ]);
      stream = { nmi: first, register: cells[4] ?? '', unit: cells[7] ?? '', minutes };
    }
    if (kind !== '300') continue;
    const date = first.trim().replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3');
    const { nmi, register, unit, minutes } = stream;
    for (let i = 0; i < Math.floor(DAY_MINUTES / minutes); i += 1)
      yield { line, cells: [date, clock((i + 1) * minutes), nmi, register, unit, cells[i + 2] ?? ''] };
  }
}
