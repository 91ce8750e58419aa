/** Workbooks (XLSX, ECMA-376): the sheets that are a table of readings are read as any other table. */
import { EXPORT_COLUMNS } from '../../../contract/exports.ts';
import { fold } from '../../../core/text.ts';
import { Spool } from '../../db/spool.ts';
import { DomainError } from '../../errors.ts';
import { Archive } from '../../zip/unzip.ts';
import { guessDecimal, isNumber } from './amounts.ts';
import { isDate } from './dates.ts';
import { byReading } from './day-rows.ts';
import type { Found, Opened, Plan, Wishes } from './format.ts';
import { headingOf } from './layout.ts';
import type { Row } from './lines.ts';
import { asText } from './own.ts';
import { openTable } from './table.ts';
import { AS_ARCHIVE, refused } from './xlsx-refused.ts';
import { type SheetRow, sheetRows } from './xlsx-sheet.ts';
import { readWorkbook, type Sheet, type Workbook } from './xlsx-workbook.ts';

const SAMPLE_ROWS = 200;
/** Every sheet is looked at: so much of each. */
const SAMPLE_CHARACTERS = 500_000;
/** Row 17 of the second sheet that is read is line 20000017: a sheet has fewer rows than this. */
const LINES_OF_A_SHEET = 10_000_000;
const MAX_NAMED = 20;

/** A sheet that may be a table of readings. */
interface Table {
  sheet: Sheet;
  heading: Row;
  is_export: boolean;
  /** Which sheet of those that are read, from 0: tells its lines from those of the others. */
  number: number;
}

const isExport = ({ cells }: Row) =>
  cells[0] === EXPORT_COLUMNS[0] && EXPORT_COLUMNS.every((column) => cells.includes(column));
const headingText = ({ cells }: Row) => JSON.stringify(cells.map((cell) => fold(cell.trim())));

async function sampleOf(workbook: Workbook, sheet: Sheet): Promise<SheetRow[]> {
  const rows: SheetRow[] = [];
  let characters = 0;
  for await (const row of sheetRows(workbook, sheet)) {
    rows.push(row);
    for (const cell of row.cells) characters += cell.length;
    if (rows.length >= SAMPLE_ROWS || characters > SAMPLE_CHARACTERS) break;
  }
  return rows;
}

/** @returns the heading above rows with dates, or an export's; null where there is none */
function findHeading(sample: readonly Row[]): Row | null {
  if (sample[0] && isExport(sample[0])) return sample[0];
  try {
    return sample[headingOf(sample)]!;
  } catch (error) {
    if (error instanceof DomainError) return null;
    throw error;
  }
}

/** What separates the decimals of numbers that are text; the others are written as these are. */
function decimalOf(samples: readonly SheetRow[]): ',' | '.' {
  if (samples.some(({ numbers }) => numbers.length > 0)) return '.';
  const cells = samples.flatMap((row) => row.cells.filter((cell) => isNumber(cell) && !isDate(cell)));
  return guessDecimal(cells, ';');
}

interface Understood {
  tables: [Table, ...Table[]];
  /** Sheets without a table, and such with another one. */
  others: string[];
  decimal: ',' | '.';
}

/** The first table, and all that have the same heading. */
async function findTables(workbook: Workbook): Promise<Understood> {
  const tables: Table[] = [];
  const others: string[] = [];
  let decimal: ',' | '.' = '.';
  for (const sheet of workbook.sheets) {
    const sample = await sampleOf(workbook, sheet);
    const heading = findHeading(sample);
    if (heading && (!tables[0] || headingText(heading) === headingText(tables[0].heading))) {
      if (!tables[0]) decimal = decimalOf(sample);
      tables.push({ sheet, heading, is_export: isExport(heading), number: tables.length });
    } else others.push(sheet.name);
  }
  if (tables[0]) return { tables: tables as [Table, ...Table[]], others, decimal };
  const hidden = workbook.hidden.length > 0 ? ' Hidden sheets are not read: show the one that is meant.' : '';
  throw refused(`has no sheet with a heading above rows with dates: a row must name the columns.${hidden}`);
}

/** An export's row as its CSV has it: as many cells as the heading, text that could be a formula marked. */
function exportedCells(cells: readonly string[], heading: readonly string[]): string[] {
  return heading.map((column, i) =>
    column === 'meter_name' || column === 'note' ? asText(cells[i] ?? '') : (cells[i] ?? ''),
  );
}

/** The rows of all tables below the heading of the first. */
async function* rowsOf(
  workbook: Workbook,
  tables: readonly Table[],
  is_own: boolean,
  decimal: ',' | '.',
): AsyncGenerator<Row> {
  for (const { sheet, heading, number } of tables) {
    const before = number === 0 ? 0 : (number + 1) * LINES_OF_A_SHEET;
    for await (const { line, cells, numbers } of sheetRows(workbook, sheet)) {
      if (number > 0 && line <= heading.line) continue;
      if (decimal === ',') for (const at of numbers) cells[at] = cells[at]!.replace('.', ',');
      yield { line: before + line, cells: is_own ? exportedCells(cells, heading.cells) : cells };
    }
  }
}

/**
 * Where sheets have no column of meters, each is the meter of its name. A line of the second sheet is a large number,
 * which the message explains.
 */
async function* withSheets(
  readings: AsyncIterable<Found>,
  tables: readonly Table[],
  is_named_by_sheet: boolean,
): AsyncGenerator<Found> {
  const tableOf = (line: number) => tables[Math.floor(line / LINES_OF_A_SHEET) - 1];
  for await (const found of readings) {
    if (is_named_by_sheet)
      for (const reading of found.readings) reading.meter = (tableOf(reading.line) ?? tables[0]!).sheet.name;
    for (const error of found.errors) {
      const table = tableOf(error.line);
      if (table)
        error.message = `(row ${error.line % LINES_OF_A_SHEET} of sheet ${named([table.sheet.name])}) ${error.message}`;
    }
    yield found;
  }
}

function named(names: readonly string[]): string {
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : '';
  const quoted = names.slice(0, MAX_NAMED).map((name) => JSON.stringify(name));
  return quoted.join(', ') + more;
}

/** A sentence per decision that only workbooks ask for. */
function explain({ hidden, is_1904 }: Workbook, { tables, others }: Understood, zone: string): string[] {
  const [first, second] = tables;
  const read = tables.map(({ sheet }) => sheet.name);
  return [
    second
      ? `The sheets ${named(read)} are read, which have the same heading.`
      : `The sheet ${named(read)} is read.`,
    ...(second
      ? [`Line ${2 * LINES_OF_A_SHEET + 17} is row 17 of sheet ${named([second.sheet.name])}, and so on.`]
      : []),
    ...(others.length > 0 ? [`Sheets that are no such table are left out: ${named(others)}.`] : []),
    ...(hidden.length > 0 ? [`Hidden sheets are left out: ${named(hidden)}.`] : []),
    ...(first.is_export
      ? []
      : [
          `Dates in cells are what a clock in ${zone} showed, to the nearest second` +
            `${is_1904 ? '; days are counted from 1904' : ''}.`,
          'Numbers have the 15 digits that a spreadsheet shows.',
        ]),
  ];
}

async function openWorkbook(spool: Spool, wishes: Wishes, zone: string): Promise<Opened> {
  const workbook = await readWorkbook(new Archive(spool, AS_ARCHIVE));
  const understood = await findTables(workbook);
  const { tables } = understood;
  const { format: _, ...said } = wishes;
  const is_own = tables[0].is_export && Object.keys(said).length === 0;
  const decimal = is_own ? '.' : (wishes.decimal ?? understood.decimal);
  const rows = rowsOf(workbook, tables, is_own, decimal);
  const source = { separator: ',', encoding: 'utf-8', count: { bytes: spool.size } };
  const close = async () => {
    // What is half read must not go on to read.
    await rows.return(undefined);
    spool.close();
  };
  const { plan, readings } = await (is_own
    ? openTable(rows, source, {}, zone)
    : openTable(byReading(rows), source, { ...said, decimal }, zone)
  ).catch(async (error) => {
    await rows.return(undefined);
    throw error;
  });
  const told: Partial<Plan> = { format: 'xlsx', delimiter: null, encoding: null };
  Object.assign(plan, told);
  plan.explained.unshift(...explain(workbook, understood, plan.timezone ?? zone));
  const has_names = plan.layout === 'wide' || plan.columns.meter !== undefined || wishes.meter !== undefined;
  const is_named_by_sheet = tables.length > 1 && !has_names;
  if (is_named_by_sheet) plan.explained.push('No column names a meter: each sheet is the meter of its name.');
  return { plan, readings: withSheets(readings, tables, is_named_by_sheet), close };
}

/** Puts the file down first: what is needed to read a workbook stands at its end. */
export async function openXlsx(
  bytes: AsyncIterable<Uint8Array>,
  wishes: Wishes,
  zone: string,
): Promise<Opened> {
  const spool = await Spool.of(bytes);
  try {
    return await openWorkbook(spool, wishes, zone);
  } catch (error) {
    spool.close();
    throw error;
  }
}
