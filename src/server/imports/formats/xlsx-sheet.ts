/** Reads the rows of a sheet as it is unpacked. */
import { invalid } from '../../errors.ts';
import type { Row } from './lines.ts';
import { dateText, numberText } from './xlsx-cells.ts';
import { damaged, tooLarge } from './xlsx-refused.ts';
import { Text } from './xlsx-texts.ts';
import type { Sheet, Workbook } from './xlsx-workbook.ts';
import { type Elements, readingXml } from './xlsx-xml.ts';

/** A sheet has no more. */
const MAX_ROWS = 1_048_576;
/** More than that, and longer rows, are no list of readings. */
const MAX_COLUMNS = 10_000;
const MAX_ROW_CHARACTERS = 100_000;

/** Rows of cells as text. Numbers have a point before their decimals; `numbers` are the columns of those that have any. */
export interface SheetRow extends Row {
  numbers: number[];
}

/** The column of a reference such as AB12, counted from 0; NaN for what is none. */
function columnOf(reference: string): number {
  let column = 0;
  let at = 0;
  for (; at < reference.length; at += 1) {
    const letter = reference.charCodeAt(at) & ~0x20;
    if (letter < 65 || letter > 90) break;
    column = column * 26 + letter - 64;
  }
  return at === 0 || column > MAX_COLUMNS * 26 ? Number.NaN : column - 1;
}

class Rows implements Elements {
  readonly #workbook: Workbook;
  ready: SheetRow[] = [];
  #line = 0;
  #column = -1;
  #cells: string[] = [];
  #numbers: number[] = [];
  #characters = 0;
  #in_data = false;
  #is_phonetic = false;
  #type = 'n';
  #style = 0;
  #has_value = false;
  #has_formula = false;
  readonly #formula = new Text();
  readonly #value = new Text();
  /** Where a text goes that comes now. */
  #into: Text | null = null;

  constructor(workbook: Workbook) {
    this.#workbook = workbook;
  }

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    if (name === 'c') this.#openCell(attributes);
    else if (name === 'v' || name === 't') {
      this.#has_value = true;
      this.#into = this.#is_phonetic ? null : this.#value;
    } else if (name === 'row') this.#openRow(attributes.r);
    else if (name === 'f') {
      this.#has_formula = true;
      this.#into = this.#formula;
    } else if (name === 'sheetData') this.#in_data = true;
    // How a text is pronounced is no part of it.
    else if (name === 'rPh') this.#is_phonetic = true;
  }

  text(piece: string): void {
    if (this.#in_data) this.#into?.add(piece);
  }

  close(name: string): void {
    this.#into = null;
    if (name === 'rPh') this.#is_phonetic = false;
    if (!this.#in_data) return;
    if (name === 'c') this.#closeCell();
    else if (name === 'row') this.#closeRow();
    else if (name === 'sheetData') this.#in_data = false;
  }

  #openRow(reference: string | undefined): void {
    this.#line = reference === undefined ? this.#line + 1 : Number(reference);
    if (!(Number.isInteger(this.#line) && this.#line >= 1 && this.#line <= MAX_ROWS))
      throw damaged(`a row that is none of the ${MAX_ROWS} of a sheet`);
    this.#column = -1;
    this.#cells = [];
    this.#numbers = [];
    this.#characters = 0;
  }

  #openCell({ r, t, s }: Readonly<Record<string, string>>): void {
    this.#column = r === undefined ? this.#column + 1 : columnOf(r);
    if (Number.isNaN(this.#column)) throw damaged(`a cell ${r!.slice(0, 20)}, which no sheet has`);
    if (this.#column >= MAX_COLUMNS) {
      const message = `has a cell beyond column ${MAX_COLUMNS}: a list of readings has no more, delete what is there`;
      throw invalid([{ path: `line ${this.#line}`, message }]);
    }
    this.#type = t ?? 'n';
    this.#style = s === undefined ? 0 : Number(s);
    this.#has_value = false;
    this.#has_formula = false;
  }

  #closeCell(): void {
    const stored = this.#value.take();
    const formula = this.#formula.take();
    // A program that does not calculate leaves the result out: that is not the same as an empty cell.
    const text = this.#has_formula && !this.#has_value ? `=${formula}` : this.#textOf(stored);
    if (text === '') return;
    this.#characters += text.length;
    if (this.#characters > MAX_ROW_CHARACTERS)
      throw tooLarge(
        `has more than ${MAX_ROW_CHARACTERS} characters in row ${this.#line}: is it a list of readings?`,
      );
    while (this.#cells.length < this.#column) this.#cells.push('');
    this.#cells[this.#column] = text;
  }

  #textOf(stored: string): string {
    const { shown, is_1904, texts } = this.#workbook;
    if (stored === '') return '';
    if (this.#type === 's') {
      const text = texts.at(Number(stored));
      if (text === undefined) throw damaged('a cell with a text that is not there');
      return text;
    }
    if (this.#type === 'b') return stored === '1' ? 'TRUE' : 'FALSE';
    if (this.#type !== 'n') return stored;
    const as = shown[this.#style] ?? 'number';
    if (as !== 'number') return dateText(stored, as, is_1904);
    const text = numberText(stored);
    if (text.includes('.')) this.#numbers.push(this.#column);
    return text;
  }

  #closeRow(): void {
    if (this.#cells.some((cell) => cell.trim() !== ''))
      this.ready.push({ line: this.#line, cells: this.#cells, numbers: this.#numbers });
  }
}

/** The rows of a sheet that are not empty, with their numbers. Throws validation_failed, body_too_large. */
export async function* sheetRows(workbook: Workbook, { part }: Sheet): AsyncGenerator<SheetRow> {
  const rows = new Rows(workbook);
  for await (const _ of readingXml(workbook.archive.read(part), rows)) {
    yield* rows.ready;
    rows.ready = [];
  }
}
