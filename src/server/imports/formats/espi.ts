/** Reads the entries of an ESPI feed (NAESB REQ.21 in Atom) as they stream in: no tree, no entities, no DTD. */
import sax from 'sax';
import { DomainError } from '../../errors.ts';

const MAX_DEPTH = 50;
/** Readings are kept until every link is known: so many fit in the memory of a small machine. */
const MAX_READINGS = 500_000;
const MAX_ENTRIES = 200_000;
const MAX_TEXT = 10_000;

/** A value as it stands in the feed. */
export interface RawReading {
  line: number;
  /** Epoch seconds; null where there is no timePeriod. */
  start: number | null;
  duration: number | null;
  value: string;
}

/** An entry of the feed: what it is, whom it belongs to, and what stands in it. */
export interface FeedEntry {
  kind: 'UsagePoint' | 'MeterReading' | 'ReadingType' | 'IntervalBlock' | 'other';
  title: string;
  self: string;
  up: string;
  related: string[];
  /** Simple elements by their names; of a block: its own start. */
  fields: Map<string, string>;
  readings: RawReading[];
}

function malformed(line: number, message: string): DomainError {
  return new DomainError('invalid_request', `Line ${line}: the XML ${message}.`);
}

const localName = (name: string) => name.slice(name.indexOf(':') + 1);
const KINDS = ['UsagePoint', 'MeterReading', 'ReadingType', 'IntervalBlock'] as const;

function newEntry(): FeedEntry {
  return { kind: 'other', title: '', self: '', up: '', related: [], fields: new Map(), readings: [] };
}

/** Puts entries together from the events of the parser. */
class Reader {
  readonly entries: FeedEntry[] = [];
  #entry: FeedEntry | null = null;
  #reading: RawReading | null = null;
  #path: string[] = [];
  #text = '';
  #count = 0;
  readonly #line: () => number;
  constructor(line: () => number) {
    this.#line = line;
  }

  open(name: string, attributes: Record<string, string>): void {
    this.#path.push(name);
    this.#text = '';
    if (this.#path.length > MAX_DEPTH) throw malformed(this.#line(), `is nested deeper than ${MAX_DEPTH}`);
    if (name === 'entry') this.#entry = newEntry();
    const entry = this.#entry;
    if (!entry) return;
    const kind = KINDS.find((each) => each === name);
    if (kind) entry.kind = kind;
    if (name === 'link') this.#link(entry, attributes);
    if (name === 'IntervalReading') {
      this.#count += 1;
      if (this.#count > MAX_READINGS)
        throw new DomainError(
          'body_too_large',
          `A feed has at most ${MAX_READINGS} readings: split the file.`,
        );
      this.#reading = { line: this.#line(), start: null, duration: null, value: '' };
    }
  }

  #link(entry: FeedEntry, { rel, href = '' }: Record<string, string>): void {
    if (rel === 'self') entry.self = href;
    else if (rel === 'up') entry.up = href;
    else if (rel === 'related') entry.related.push(href);
  }

  text(piece: string): void {
    if (this.#text.length < MAX_TEXT) this.#text += piece;
  }

  close(name: string): void {
    const text = this.#text.trim();
    this.#path.pop();
    this.#text = '';
    const entry = this.#entry;
    if (!entry) return;
    if (name === 'entry') this.#finish(entry);
    else if (name === 'title' && entry.kind === 'other') entry.title = text;
    else if (name === 'title') entry.title ||= text;
    else if (this.#reading) this.#readingField(name, text, this.#reading, entry);
    else entry.fields.set(name, text);
  }

  #readingField(name: string, text: string, reading: RawReading, entry: FeedEntry): void {
    const in_period = this.#path.at(-1) === 'timePeriod';
    if (in_period && name === 'start') reading.start = Number(text);
    else if (in_period && name === 'duration') reading.duration = Number(text);
    else if (name === 'value' && this.#path.at(-1) === 'IntervalReading') reading.value = text;
    else if (name === 'IntervalReading') {
      entry.readings.push(reading);
      this.#reading = null;
    }
  }

  #finish(entry: FeedEntry): void {
    this.entries.push(entry);
    this.#entry = null;
    if (this.entries.length > MAX_ENTRIES)
      throw new DomainError('body_too_large', `A feed has at most ${MAX_ENTRIES} entries: split the file.`);
  }
}

/** @returns the feed's entries, in its order; throws invalid_request for what is no XML, body_too_large */
export async function readFeed(body: AsyncIterable<Uint8Array>): Promise<FeedEntry[]> {
  const parser = sax.parser(true, { trim: false, normalize: false });
  const reader = new Reader(() => parser.line + 1);
  parser.onerror = (error) => {
    throw malformed(parser.line + 1, `cannot be read (${error.message.split('\n')[0]})`);
  };
  parser.ondoctype = () => {
    throw malformed(parser.line + 1, 'has a document type, which a Green Button file has no use for');
  };
  parser.onopentag = ({ name, attributes }) =>
    reader.open(localName(name), attributes as Record<string, string>);
  parser.ontext = (text) => reader.text(text);
  parser.oncdata = (text) => reader.text(text);
  parser.onclosetag = (name) => reader.close(localName(name));
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const bytes of body) parser.write(decoder.decode(bytes, { stream: true }));
    parser.write(decoder.decode()).close();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new DomainError('invalid_request', 'The body is not valid UTF-8.');
  }
  return reader.entries;
}
