/** The texts that the cells of a workbook share, packed: outside the heap, and within a bound. */
import { tooLarge } from './xlsx-refused.ts';
import { type Elements, readXml } from './xlsx-xml.ts';

const PAGE_BYTES = 1024 * 1024;
const MAX_BYTES = 64 * PAGE_BYTES;
const LENGTH_BYTES = 4;
/** So long a cell's text may be in any spreadsheet program. */
export const MAX_TEXT = 32_767;

/** Puts a text together that comes in pieces. */
export class Text {
  value = '';

  add(piece: string): void {
    this.value += piece;
    if (this.value.length > MAX_TEXT)
      throw tooLarge(`has a cell with more than ${MAX_TEXT} characters: take it out`);
  }

  take(): string {
    const { value } = this;
    this.value = '';
    return value;
  }
}

export class Texts {
  readonly #pages: Buffer[] = [];
  /** Where each begins. */
  #starts = new Uint32Array(1024);
  #end = 0;
  #count = 0;

  add(text: string): void {
    const length = Buffer.byteLength(text);
    const is_split =
      Math.floor(this.#end / PAGE_BYTES) !== Math.floor((this.#end + LENGTH_BYTES + length) / PAGE_BYTES);
    const start = is_split ? this.#pages.length * PAGE_BYTES : this.#end;
    // Where each begins takes memory too.
    if (start + (this.#count + 1) * LENGTH_BYTES > MAX_BYTES)
      throw tooLarge(
        `has more than ${MAX_BYTES / PAGE_BYTES} MiB of different texts: split it, or save it as CSV`,
      );
    if (start === this.#pages.length * PAGE_BYTES) this.#pages.push(Buffer.allocUnsafeSlow(PAGE_BYTES));
    const page = this.#pages.at(-1)!;
    page.writeUInt32LE(length, start % PAGE_BYTES);
    page.write(text, (start % PAGE_BYTES) + LENGTH_BYTES);
    if (this.#count === this.#starts.length) {
      const starts = new Uint32Array(this.#count * 2);
      starts.set(this.#starts);
      this.#starts = starts;
    }
    this.#starts[this.#count] = start;
    this.#count += 1;
    this.#end = start + LENGTH_BYTES + length;
  }

  /** @returns undefined where there are not so many */
  at(number: number): string | undefined {
    if (!(number >= 0 && number < this.#count)) return undefined;
    const start = this.#starts[number]!;
    const page = this.#pages[Math.floor(start / PAGE_BYTES)]!;
    const begin = (start % PAGE_BYTES) + LENGTH_BYTES;
    return page.toString('utf8', begin, begin + page.readUInt32LE(begin - LENGTH_BYTES));
  }
}

/** Of an item the texts of its runs; how it is pronounced is left out. */
class Items implements Elements {
  readonly texts = new Texts();
  readonly #text = new Text();
  #is_text = false;
  #is_phonetic = false;

  open(name: string): void {
    if (name === 'rPh') this.#is_phonetic = true;
    this.#is_text = name === 't' && !this.#is_phonetic;
  }

  text(piece: string): void {
    if (this.#is_text) this.#text.add(piece);
  }

  close(name: string): void {
    this.#is_text = false;
    if (name === 'rPh') this.#is_phonetic = false;
    if (name === 'si') this.texts.add(this.#text.take());
  }
}

export async function readTexts(part: AsyncIterable<Buffer>): Promise<Texts> {
  const items = new Items();
  await readXml(part, items);
  return items.texts;
}
