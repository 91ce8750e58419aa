/** Readings as XLSX (ECMA-376): real numbers and dates, a frozen heading, written as it goes. */
import { EXPORT_COLUMNS } from '../../contract/exports.ts';
import { formatInstant } from '../../core/time.ts';
import type { MeterRow } from '../meters/store.ts';
import { type ZippedFile, zip } from '../zip/zip.ts';
import { type Exported, type ExportedReading, flagsOf, pagesOf } from './rows.ts';
import { xml } from './xml.ts';

/** A sheet holds no more rows, its heading among them. */
const MAX_ROWS = 1_048_576;
const MAX_NAME = 31;
/** Days from 1899-12-30, where the calendar of spreadsheets begins, to 1970-01-01. */
const EPOCH_DAYS = 25_569;
const DAY_MS = 86_400_000;
/** Beside the columns of a CSV: the wall clock of the property, as a date that a spreadsheet can compute with. */
const COLUMNS = [...EXPORT_COLUMNS, 'local_time'];
const STYLE = { plain: 0, heading: 1, kwh: 2, date: 3 } as const;

/** A, B … Z, AA … */
const LETTERS = COLUMNS.map((_, i) => String.fromCharCode(65 + i));

function text(ref: string, value: string, style: number = STYLE.plain): string {
  if (value === '') return '';
  return `<c r="${ref}" s="${style}" t="inlineStr"><is><t xml:space="preserve">${xml(value)}</t></is></c>`;
}

const number = (ref: string, value: string, style: number) =>
  `<c r="${ref}" s="${style}"><v>${value}</v></c>`;

/** @returns the wall clock of a zone at an instant, as a spreadsheet counts it: in days */
function wallClock(timezone: string): (instant_ms: number) => number {
  const format = new Intl.DateTimeFormat('en', {
    timeZone: timezone,
    hourCycle: 'h23',
    ...{
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    },
  });
  return (instant_ms) => {
    const parts = Object.fromEntries(
      format.formatToParts(instant_ms).map(({ type, value }) => [type, Number(value)]),
    );
    const { year, month, day, hour, minute, second } = parts as Record<string, number>;
    return EPOCH_DAYS + Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) / DAY_MS;
  };
}

function rowXml(row: ExportedReading, at: number, clock: (instant_ms: number) => number): string {
  const cells = [
    formatInstant(row.reading_timestamp),
    row.meter_name,
    row.meter_type,
    null,
    row.recorded_by,
    row.kind,
    row.period_start === null ? '' : formatInstant(row.period_start),
    row.location ?? '',
    flagsOf(row),
    row.source,
    row.note ?? '',
    formatInstant(row.created_at),
    null,
    null,
    null,
  ].map((value, i) => (value === null ? '' : text(`${LETTERS[i]}${at}`, value)));
  const value = COLUMNS.indexOf('value');
  cells[value] = number(`${LETTERS[value]}${at}`, String(row.value_wh / 1000), STYLE.kwh);
  const [id, batch, local] = [COLUMNS.length - 3, COLUMNS.length - 2, COLUMNS.length - 1];
  cells[id] = number(`${LETTERS[id]}${at}`, String(row.id), STYLE.plain);
  cells[batch] = number(`${LETTERS[batch]}${at}`, String(row.batch_id), STYLE.plain);
  cells[local] = number(`${LETTERS[local]}${at}`, String(clock(row.reading_timestamp)), STYLE.date);
  return `<row r="${at}">${cells.join('')}</row>`;
}

const HEAD =
  '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' +
  '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0">' +
  '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>' +
  `<col min="1" max="${COLUMNS.length}" width="22" customWidth="1"/></cols><sheetData>` +
  `<row r="1">${COLUMNS.map((name, i) => text(`${LETTERS[i]}1`, name, STYLE.heading)).join('')}</row>`;
const TAIL = '</sheetData></worksheet>';

/** Reads on in the pages of readings, and knows whether there are more. */
class Feed {
  readonly #pages: AsyncGenerator<ExportedReading[]>;
  #rows: ExportedReading[] = [];
  #at = 0;
  constructor(pages: AsyncGenerator<ExportedReading[]>) {
    this.#pages = pages;
  }

  async hasMore(): Promise<boolean> {
    while (this.#at >= this.#rows.length) {
      const { done, value } = await this.#pages.next();
      if (done) return false;
      this.#rows = value;
      this.#at = 0;
    }
    return true;
  }

  /** At most so many of those that are in memory. */
  take(count: number): ExportedReading[] {
    const taken = this.#rows.slice(this.#at, this.#at + count);
    this.#at += taken.length;
    return taken;
  }
}

async function* sheetXml(feed: Feed, clock: (instant_ms: number) => number): AsyncGenerator<string> {
  yield HEAD;
  let next = 2;
  while (next <= MAX_ROWS && (await feed.hasMore())) {
    const rows = feed.take(MAX_ROWS - next + 1);
    yield rows.map((row, i) => rowXml(row, next + i, clock)).join('');
    next += rows.length;
  }
  yield TAIL;
}

/** A name that a sheet may have, and no other sheet has. */
export function sheetName(wanted: string, taken: readonly string[]): string {
  const clean =
    xml(wanted) === ''
      ? 'Sheet'
      : wanted.replace(/[\\/?*[\]:\p{Cc}]/gu, ' ').replace(/^'+|'+$/g, '') || 'Sheet';
  const isTaken = (name: string) => taken.some((each) => each.toLowerCase() === name.toLowerCase());
  let name = clean.slice(0, MAX_NAME);
  for (let i = 2; isTaken(name); i += 1) {
    const end = ` ${i}`;
    name = clean.slice(0, MAX_NAME - end.length) + end;
  }
  return name;
}

const STYLES =
  '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' +
  '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="2">' +
  '<numFmt numFmtId="164" formatCode="0.000"/><numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>' +
  '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>' +
  '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>' +
  '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>' +
  '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>' +
  '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>' +
  '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>' +
  '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs></styleSheet>';

const MAIN = 'application/vnd.openxmlformats-officedocument.spreadsheetml';
const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';

/** What says which sheets there are: written last, when that is known. */
function frame(sheets: readonly string[]): ZippedFile[] {
  const each = (write: (name: string, n: number) => string) =>
    sheets.map((name, i) => write(name, i + 1)).join('');
  const part = (n: number) =>
    `<Override PartName="/xl/worksheets/sheet${n}.xml" ContentType="${MAIN}.worksheet+xml"/>`;
  const relation = (id: string, type: string, target: string) =>
    `<Relationship Id="${id}" Type="${RELATIONS}/${type}" Target="${target}"/>`;
  const relations = (inside: string) =>
    `${XML}<Relationships xmlns="${PACKAGE}/relationships">${inside}</Relationships>`;
  const types =
    `${XML}<Types xmlns="${PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>` +
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>' +
    `<Override PartName="/xl/workbook.xml" ContentType="${MAIN}.sheet.main+xml"/>` +
    `<Override PartName="/xl/styles.xml" ContentType="${MAIN}.styles+xml"/>${each((_, n) => part(n))}</Types>`;
  const workbook =
    `${XML}<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="${RELATIONS}"><sheets>` +
    `${each((name, n) => `<sheet name="${xml(name)}" sheetId="${n}" r:id="rId${n}"/>`)}</sheets></workbook>`;
  const of_workbook = relations(
    each((_, n) => relation(`rId${n}`, 'worksheet', `worksheets/sheet${n}.xml`)) +
      relation('rIdStyles', 'styles', 'styles.xml'),
  );
  return [
    { name: 'xl/styles.xml', content: [STYLES] },
    { name: 'xl/workbook.xml', content: [workbook] },
    { name: 'xl/_rels/workbook.xml.rels', content: [of_workbook] },
    { name: '_rels/.rels', content: [relations(relation('rId1', 'officeDocument', 'xl/workbook.xml'))] },
    { name: '[Content_Types].xml', content: [types] },
  ];
}

async function* files(exported: Exported, per_meter: boolean): AsyncGenerator<ZippedFile> {
  const clock = wallClock(exported.property.timezone);
  const groups: [string, readonly MeterRow[]][] = per_meter
    ? exported.meters.map((meter) => [meter.name, [meter]])
    : [['Readings', exported.meters]];
  const sheets: string[] = [];
  for (const [title, meters] of groups) {
    const feed = new Feed(pagesOf(exported, meters));
    do {
      sheets.push(sheetName(title, sheets));
      yield { name: `xl/worksheets/sheet${sheets.length}.xml`, content: sheetXml(feed, clock) };
    } while (await feed.hasMore());
  }
  yield* frame(sheets);
}

export function toXlsx(exported: Exported, per_meter: boolean): AsyncGenerator<Buffer> {
  return zip(files(exported, per_meter));
}
