/** Reads the entries of an ESPI feed (NAESB REQ.21 in Atom) as they stream in: no tree, no entities, no DTD. */
import sax from 'sax';
import { DomainError } from '../../errors.ts';
import { alone } from './lines.ts';

const MAX_DEPTH = 50;
/** Readings are kept until every link is known, some thirty bytes each: so many fit into a small machine. */
const MAX_READINGS = 1_500_000;
const MAX_ENTRIES = 200_000;
/** Of one entry, of one element, and of one address. */
const MAX_LINKS = 10_000;
const MAX_ATTRIBUTES = 100;
const MAX_HREF = 2000;
/** Of all addresses together, which are kept until the end. */
const MAX_HREF_CHARACTERS = 32_000_000;
const MAX_TEXT = 10_000;

/** A value as it stands in the feed. */
export interface RawReading {
  line: number;
  /** Epoch seconds, and seconds; null where the feed does not say, NaN for what is none. */
  start: number | null;
  duration: number | null;
  /** NaN for what is no whole number that is not negative. */
  value: number;
  /** The value as it was written, where it is none. */
  text: string | null;
}

/** An entry of the feed: what it is, whom it belongs to, and what stands in it. */
export interface FeedEntry {
  kind: 'UsagePoint' | 'MeterReading' | 'ReadingType' | 'IntervalBlock' | 'other';
  title: string;
  self: string;
  up: string;
  related: string[];
  /** Of a reading type, by the names of its elements. */
  fields: Record<string, string>;
  /** Of a block: its own start in epoch seconds, and where its readings are among all. */
  start: number | null;
  from: number;
  to: number;
}

const PAGE = 16_384;
const MAX_TEXTS = 1000;
/** Stands for what the feed does not say, in arrays of numbers. */
const ABSENT = Number.NEGATIVE_INFINITY;
const orNull = (number: number) => (number === ABSENT ? null : number);

/** The readings of a feed in its order, as bare numbers. */
export class Readings {
  readonly #pages: {
    starts: Float64Array;
    durations: Float64Array;
    values: Float64Array;
    lines: Uint32Array;
  }[] = [];
  /** Of the first values that are none. */
  readonly #texts = new Map<number, string>();
  length = 0;

  add({ line, start, duration, value, text }: RawReading): void {
    const at = this.length % PAGE;
    if (at === 0) {
      const [starts, durations, values] = [0, 1, 2].map(() => new Float64Array(PAGE));
      this.#pages.push({
        starts: starts!,
        durations: durations!,
        values: values!,
        lines: new Uint32Array(PAGE),
      });
    }
    const page = this.#pages.at(-1)!;
    page.starts[at] = start ?? ABSENT;
    page.durations[at] = duration ?? ABSENT;
    page.values[at] = value;
    page.lines[at] = line;
    if (text !== null && this.#texts.size < MAX_TEXTS) this.#texts.set(this.length, text.slice(0, 30));
    this.length += 1;
  }

  at(index: number): RawReading {
    const page = this.#pages[Math.floor(index / PAGE)]!;
    const at = index % PAGE;
    return {
      line: page.lines[at]!,
      start: orNull(page.starts[at]!),
      duration: orNull(page.durations[at]!),
      value: page.values[at]!,
      text: this.#texts.get(index) ?? null,
    };
  }
}

function malformed(line: number, message: string): DomainError {
  return new DomainError('invalid_request', `Line ${line}: the XML ${message}.`);
}

const localName = (name: string) => name.slice(name.indexOf(':') + 1);
const KINDS = ['UsagePoint', 'MeterReading', 'ReadingType', 'IntervalBlock'] as const;
const FIELDS = ['flowDirection', 'uom', 'intervalLength', 'powerOfTenMultiplier', 'accumulationBehaviour'];
const secondsOf = (text: string) => (/^-?\d{1,13}$/.test(text) ? Number(text) : Number.NaN);

/** Puts entries together from the events of the parser. */
class Reader {
  readonly entries: FeedEntry[] = [];
  readonly readings = new Readings();
  #entry: FeedEntry | null = null;
  #reading: RawReading | null = null;
  #path: string[] = [];
  #text = '';
  #attributes = 0;
  #hrefs = 0;
  /** Blocks hang below few others: each address is kept once. */
  readonly #ups = new Map<string, string>();
  readonly #line: () => number;
  constructor(line: () => number) {
    this.#line = line;
  }

  begin(): void {
    this.#attributes = 0;
  }

  attribute(): void {
    this.#attributes += 1;
    if (this.#attributes > MAX_ATTRIBUTES)
      throw malformed(this.#line(), `has an element with more than ${MAX_ATTRIBUTES} attributes`);
  }

  open(name: string, attributes: Record<string, string>): void {
    this.#path.push(name);
    this.#text = '';
    if (this.#path.length > MAX_DEPTH) throw malformed(this.#line(), `is nested deeper than ${MAX_DEPTH}`);
    const { length } = this.readings;
    if (name === 'entry')
      this.#entry = {
        ...{ kind: 'other', title: '', self: '', up: '', related: [], fields: {} },
        ...{ start: null, from: length, to: length },
      };
    const entry = this.#entry;
    if (!entry) return;
    const kind = KINDS.find((each) => each === name);
    if (kind) entry.kind = kind;
    if (name === 'link') this.#link(entry, attributes);
    if (name !== 'IntervalReading') return;
    if (length >= MAX_READINGS)
      throw new DomainError('body_too_large', `A feed has at most ${MAX_READINGS} readings: split the file.`);
    this.#reading = { line: this.#line(), start: null, duration: null, value: Number.NaN, text: '' };
  }

  #link(entry: FeedEntry, { rel, href = '' }: Record<string, string>): void {
    if (href.length > MAX_HREF)
      throw malformed(this.#line(), `has a link longer than ${MAX_HREF} characters`);
    this.#hrefs += href.length;
    if (this.#hrefs > MAX_HREF_CHARACTERS)
      throw new DomainError('body_too_large', 'The links of a feed are too long to be kept: split the file.');
    if (rel === 'self') entry.self = alone(href);
    else if (rel === 'up') entry.up = alone(href);
    else if (rel === 'related') entry.related.push(alone(href));
    if (entry.related.length > MAX_LINKS)
      throw malformed(this.#line(), `has an entry with more than ${MAX_LINKS} links`);
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
    else if (name === 'title' && (entry.kind === 'other' || entry.title === '')) entry.title = alone(text);
    else if (this.#reading) this.#readingField(name, text, this.#reading);
    else if (name === 'start' && this.#path.at(-1) === 'interval') entry.start = secondsOf(text);
    else if (FIELDS.includes(name)) entry.fields[name] = alone(text);
  }

  #readingField(name: string, text: string, reading: RawReading): void {
    const in_period = this.#path.at(-1) === 'timePeriod';
    if (in_period && name === 'start') reading.start = secondsOf(text);
    else if (in_period && name === 'duration') reading.duration = secondsOf(text);
    else if (name === 'value' && this.#path.at(-1) === 'IntervalReading') {
      const is_whole = /^[+]?\d{1,15}$/.test(text);
      reading.value = is_whole ? Number(text) : Number.NaN;
      reading.text = is_whole ? null : text;
    } else if (name === 'IntervalReading') {
      this.readings.add(reading);
      this.#reading = null;
    }
  }

  #finish(entry: FeedEntry): void {
    this.#entry = null;
    entry.to = this.readings.length;
    if (entry.kind === 'other') return;
    if (entry.kind === 'IntervalBlock') {
      const up = this.#ups.get(entry.up) ?? entry.up;
      this.#ups.set(up, up);
      Object.assign(entry, { up, title: '', related: [] });
    }
    this.entries.push(entry);
    if (this.entries.length > MAX_ENTRIES)
      throw new DomainError('body_too_large', `A feed has at most ${MAX_ENTRIES} entries: split the file.`);
  }
}

/** What a feed has, in its order. */
export interface Feed {
  entries: FeedEntry[];
  readings: Readings;
}

/** Throws invalid_request for what is no XML, body_too_large. */
export async function readFeed(body: AsyncIterable<Uint8Array>, encoding: string): Promise<Feed> {
  const parser = sax.parser(true, { trim: false, normalize: false });
  const reader = new Reader(() => parser.line + 1);
  parser.onerror = (error) => {
    throw malformed(parser.line + 1, `cannot be read (${error.message.split('\n')[0]})`);
  };
  parser.ondoctype = () => {
    throw malformed(parser.line + 1, 'has a document type, which a Green Button file has no use for');
  };
  parser.onopentagstart = () => reader.begin();
  parser.onattribute = () => reader.attribute();
  parser.onopentag = ({ name, attributes }) =>
    reader.open(localName(name), attributes as Record<string, string>);
  parser.ontext = (text) => reader.text(text);
  parser.oncdata = (text) => reader.text(text);
  parser.onclosetag = (name) => reader.close(localName(name));
  const decoder = new TextDecoder(encoding, { fatal: true });
  try {
    for await (const bytes of body) parser.write(decoder.decode(bytes, { stream: true }));
    parser.write(decoder.decode()).close();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new DomainError('invalid_request', `The body is not valid ${encoding.toUpperCase()}.`);
  }
  return { entries: reader.entries, readings: reader.readings };
}
