/** Reads an upload as lines, or as rows of cells, as it streams in. */
import { DomainError, invalid } from '../../errors.ts';

/** Longer lines than this are not a list of readings; nor are rows with more cells than this. */
const MAX_LINE_CHARACTERS = 1_000_000;
const MAX_CELLS = 10_000;
const PIECE_CHARACTERS = 65_536;

export interface Row {
  /** Where the row begins in the file, counted from 1. */
  line: number;
  cells: string[];
}

/** Passes bytes on and counts them. */
export async function* counting(body: AsyncIterable<Uint8Array>, count: { bytes: number }) {
  for await (const bytes of body) {
    count.bytes += bytes.length;
    yield bytes;
  }
}

/** A text that keeps nothing else in memory: what was cut out of a larger one does. */
export function alone(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}

/** Decodes text, refusing bytes that are none. */
async function* decoded(body: AsyncIterable<Uint8Array>, encoding: string): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  try {
    for await (const bytes of body) yield decoder.decode(bytes, { stream: true });
    yield decoder.decode();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const detail = `The body is not valid ${encoding.toUpperCase()}: save it as UTF-8, or say its encoding.`;
    throw new DomainError('invalid_request', detail);
  }
}

/** Numbered lines without their ends; empty ones are left out. */
export async function* textLines(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ line: number; text: string }> {
  let rest = '';
  let line = 0;
  for await (const text of decoded(body, 'utf-8')) {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const each of lines) {
      line += 1;
      const trimmed = each.trim();
      if (trimmed !== '') yield { line, text: trimmed };
    }
    if (rest.length > MAX_LINE_CHARACTERS) {
      const detail = `Line ${line + 1} is longer than ${MAX_LINE_CHARACTERS} characters.`;
      throw new DomainError('body_too_large', detail);
    }
  }
  if (rest.trim() !== '') yield { line: line + 1, text: rest.trim() };
}

/** Splits text into rows: RFC 4180, with any separator and any line ends. Quotes inside a cell stand for themselves. */
class Splitter {
  readonly #delimiter: string;
  #rest = '';
  #line = 1;
  /** Where the row at hand has come to. */
  #at = 0;
  constructor(delimiter: string) {
    this.#delimiter = delimiter;
  }

  /** @param is_end whether nothing comes after the text */
  *rows(text: string, is_end: boolean): Generator<Row> {
    const all = this.#rest + text;
    let begin = 0;
    while (begin < all.length) {
      this.#at = begin;
      const cells = this.#row(all, is_end);
      if (!cells) break;
      const row = { line: this.#line, cells };
      this.#line += linesIn(all, begin, this.#at, cells);
      begin = this.#at;
      if (cells.length > MAX_CELLS)
        throw invalid([
          {
            path: `line ${row.line}`,
            message: `has more than ${MAX_CELLS} cells: is ${this.#named()} between its cells?`,
          },
        ]);
      if (cells.length > 1 || cells[0]!.trim()) yield row;
    }
    this.#rest = all.slice(begin);
    if (this.#rest.length > MAX_LINE_CHARACTERS) throw this.#endless();
  }

  #named(): string {
    return this.#delimiter === '\t' ? 'a tab' : `"${this.#delimiter}"`;
  }

  #endless(): DomainError {
    const why = this.#rest.startsWith('"') || this.#rest.includes(`${this.#delimiter}"`);
    const remedy = why ? ' Perhaps a quotation mark is never closed.' : '';
    const detail = `Line ${this.#line} is longer than ${MAX_LINE_CHARACTERS} characters.${remedy}`;
    return new DomainError('body_too_large', detail);
  }

  /** @returns the cells of the row, null if its end is still to come */
  #row(text: string, is_end: boolean): string[] | null {
    const end = endOfLine(text, this.#at);
    // What follows a CR at the end of a piece may belong to it.
    const is_whole = end < text.length && (text[end] === '\n' || end + 1 < text.length);
    if (!is_whole && !is_end) return null;
    const line = text.slice(this.#at, end);
    if (line.includes('"')) return this.#quoted(text, is_end);
    this.#at = afterLine(text, end);
    return line.split(this.#delimiter);
  }

  #quoted(text: string, is_end: boolean): string[] | null {
    const cells: string[] = [];
    let at = this.#at;
    for (;;) {
      const is_quoted = text[at] === '"';
      const end = is_quoted ? this.#closing(text, at + 1) : this.#endOfCell(text, at);
      if (end >= text.length && is_quoted) {
        if (!is_end) return null;
        const message = `has a quotation mark in cell ${cells.length + 1} that is never closed: close it, or take it out`;
        throw invalid([{ path: `line ${this.#line}`, message }]);
      }
      cells.push(is_quoted ? text.slice(at + 1, end).replaceAll('""', '"') : text.slice(at, end));
      const next = is_quoted ? end + 1 : end;
      if (text[next] === this.#delimiter) {
        at = next + 1;
        continue;
      }
      const may_go_on = next >= text.length || (text[next] === '\r' && next + 1 >= text.length);
      if (may_go_on && !is_end) return null;
      this.#at = afterLine(text, next);
      return cells;
    }
  }

  /** The quote that ends a cell: a separator, a line end or nothing follows it. */
  #closing(text: string, from: number): number {
    for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 1)) {
      const next = text[at + 1];
      if (next === '"') at += 1;
      else if (next === undefined || next === this.#delimiter || next === '\r' || next === '\n') return at;
    }
    return text.length;
  }

  #endOfCell(text: string, from: number): number {
    const end = endOfLine(text, from);
    const next = text.indexOf(this.#delimiter, from);
    return next < 0 || next > end ? end : next;
  }
}

const LINE_END = /[\r\n]/g;

function endOfLine(text: string, from: number): number {
  LINE_END.lastIndex = from;
  return LINE_END.exec(text)?.index ?? text.length;
}

function afterLine(text: string, end: number): number {
  return text[end] === '\r' && text[end + 1] === '\n' ? end + 2 : Math.min(end + 1, text.length);
}

/** Lines that a row takes: one, and another for each line end in a quoted cell. */
function linesIn(text: string, begin: number, end: number, cells: readonly string[]): number {
  if (!cells.some((cell) => cell.includes('\n') || cell.includes('\r'))) return 1;
  return text.slice(begin, end).match(/\r\n|\r|\n/g)!.length;
}

/** Rows of cells with the lines that they begin on; empty rows are left out. Throws validation_failed, body_too_large. */
export async function* csvRows(
  body: AsyncIterable<Uint8Array>,
  delimiter: string,
  encoding: string,
): AsyncGenerator<Row> {
  const splitter = new Splitter(delimiter);
  let text = '';
  for await (const piece of decoded(body, encoding)) {
    text += piece;
    // A row that has not ended is looked at again with each piece: small ones are put together.
    if (text.length < PIECE_CHARACTERS) continue;
    for (const row of splitter.rows(text, false)) yield row;
    text = '';
  }
  for (const row of splitter.rows(text, true)) yield row;
}
