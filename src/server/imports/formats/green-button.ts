/** Green Button files: readings of one or several usage points, joined by the links of the feed and never by order. */
import { tidy } from '../../../core/text.ts';
import { MAX_INSTANT_MS, MIN_INSTANT_MS } from '../../../core/time.ts';
import { MAX_REGISTER_WH } from '../../../core/units.ts';
import { invalid } from '../../errors.ts';
import { type Feed, type FeedEntry, type RawReading, type Readings, readFeed } from './espi.ts';
import type { Found, FoundReading, Opened, Wishes } from './format.ts';

const READINGS_AT_ONCE = 1000;
/** ESPI's numbers: Wh; energy that flows back to the grid; and the accumulations that are registers. */
const WATT_HOURS = '72';
const REVERSE = '19';
const REGISTERS = ['1', '2', '3', '9'];

/** What a reading type says about values. */
interface Scale {
  power: number;
  is_register: boolean;
  interval_s: number | null;
}

/** Values of one meter and one reading type. */
interface Series {
  meter: string;
  scale: Scale;
  blocks: FeedEntry[];
}

function withoutSlashes(href: string): string {
  let end = href.length;
  while (href[end - 1] === '/') end -= 1;
  return href.slice(0, end);
}

/** Addresses are not deeper than this. */
const MAX_SEGMENTS = 30;

/** Entries that others hang below: by their own addresses, and by those they link to. */
class Owners {
  readonly #entries: readonly FeedEntry[];
  readonly #by_link = new Map<string, FeedEntry>();
  readonly #by_self = new Map<string, FeedEntry>();
  constructor(entries: readonly FeedEntry[]) {
    this.#entries = entries;
    for (const entry of entries.toReversed()) {
      for (const href of entry.related) this.#by_link.set(href, entry);
      this.#by_self.set(withoutSlashes(entry.self), entry);
    }
  }

  linked(href: string): FeedEntry | undefined {
    return href === '' ? undefined : this.#by_self.get(withoutSlashes(href));
  }

  /** A link leads to the entry or to the collection it stands in, else its address lies below the owner's. */
  of({ up, self }: FeedEntry): FeedEntry | undefined {
    const of_link = [up, self].map((href) => (href === '' ? undefined : this.#by_link.get(href)));
    return of_link[0] ?? of_link[1] ?? this.#above(self) ?? this.#above(up) ?? single(this.#entries);
  }

  #above(href: string): FeedEntry | undefined {
    let address = href;
    for (let i = 0; i < MAX_SEGMENTS && address !== ''; i += 1) {
      const owner = this.linked(address);
      if (owner) return owner;
      address = address.slice(0, Math.max(0, address.lastIndexOf('/')));
    }
    return undefined;
  }
}

/** Where there is only one, links may be left out. */
function single<T>(entries: readonly T[]): T | undefined {
  return entries.length === 1 ? entries[0] : undefined;
}

function nameOf(point: FeedEntry | undefined, type: FeedEntry | undefined): string {
  const name = tidy(point?.title ?? '');
  return type?.fields.flowDirection === REVERSE ? `${name} (delivered)`.trim() : name;
}

/** @returns the series that are energy, and how many values are something else */
function seriesOf(entries: readonly FeedEntry[]): { series: Series[]; others: number } {
  const of = (kind: FeedEntry['kind']) => entries.filter((entry) => entry.kind === kind);
  const [points, readings, types] = [of('UsagePoint'), of('MeterReading'), of('ReadingType')];
  const [of_point, of_reading, of_type] = [new Owners(points), new Owners(readings), new Owners(types)];
  const found = new Map<FeedEntry | undefined, Series | 'no energy'>();
  let others = 0;
  for (const block of of('IntervalBlock')) {
    const reading = of_reading.of(block);
    const known = found.get(reading);
    if (known === 'no energy') others += block.to - block.from;
    else if (known) known.blocks.push(block);
    if (known) continue;
    const linked = reading?.related.flatMap((href) => of_type.linked(href) ?? []);
    const type = linked?.[0] ?? single(types);
    if ((type?.fields.uom ?? WATT_HOURS) !== WATT_HOURS) {
      others += block.to - block.from;
      found.set(reading, 'no energy');
      continue;
    }
    const power = Number(type?.fields.powerOfTenMultiplier ?? 0);
    if (!Number.isInteger(power)) {
      const message = `has the powerOfTenMultiplier ${JSON.stringify(type?.fields.powerOfTenMultiplier?.slice(0, 30))}`;
      throw invalid([{ path: 'ReadingType', message: `${message}, which is no whole number` }]);
    }
    const point = reading && of_point.of(reading);
    const length = Number(type?.fields.intervalLength);
    found.set(reading, {
      meter: nameOf(point ?? single(points), type),
      scale: {
        power,
        is_register: REGISTERS.includes(type?.fields.accumulationBehaviour ?? ''),
        interval_s: length > 0 ? length : null,
      },
      blocks: [block],
    });
  }
  return { series: [...found.values()].filter((each) => each !== 'no energy'), others };
}

/** From values of the feed to whole Wh; of more decimals the running total is rounded, so that the sum stays right. */
class Amounts {
  readonly #factor: number;
  readonly #divisor: number;
  readonly #round: boolean;
  readonly #is_register: boolean;
  #total = 0;
  constructor({ power, is_register }: Scale, round: boolean) {
    this.#factor = power > 0 ? 10 ** power : 1;
    this.#divisor = power < 0 ? 10 ** -power : 1;
    this.#round = round;
    this.#is_register = is_register;
  }

  /** @returns Wh, or what is wrong with the value */
  read(raw: RawReading): number | string {
    const value = raw.value * this.#factor;
    if (!Number.isSafeInteger(value)) {
      const written = raw.text ?? (Number.isNaN(raw.value) ? 'this' : raw.value);
      return `must be a whole number that is not negative, not ${written}`;
    }
    if (value % this.#divisor !== 0 && !this.#round)
      return 'has parts of a Wh, more than three decimals in kWh: say round=true to round the running total';
    // A register stands by itself; of intervals it is the sum that counts.
    const before = this.#is_register ? 0 : Math.round(this.#total / this.#divisor);
    this.#total = this.#is_register ? value : this.#total + value;
    const value_wh = Math.round(this.#total / this.#divisor) - before;
    return value_wh <= MAX_REGISTER_WH ? value_wh : 'must be at most 999999999.999 kWh';
  }
}

/** Start and end of a value in seconds; without a period: the place in its block says. */
function periodOf({ start, duration }: RawReading, block: FeedEntry, index: number, { interval_s }: Scale) {
  const length = duration ?? interval_s ?? 0;
  const begin = start ?? (block.start ?? Number.NaN) + index * length;
  return [begin, begin + length] as const;
}

function* readingsOf(
  { meter, scale, blocks }: Series,
  readings: Readings,
  round: boolean,
  found: Found,
): Generator<FoundReading> {
  const amounts = new Amounts(scale, round);
  for (const block of blocks) {
    for (let index = 0; index < block.to - block.from; index += 1) {
      const raw = readings.at(block.from + index);
      const place = { line: raw.line, column: null };
      const [begin, end] = periodOf(raw, block, index, scale);
      const instant_ms = end * 1000;
      if (!Number.isSafeInteger(instant_ms) || instant_ms < MIN_INSTANT_MS || instant_ms > MAX_INSTANT_MS) {
        found.errors.push({ ...place, message: 'has no start that could be read: whole seconds since 1970' });
        continue;
      }
      const value_wh = amounts.read(raw);
      if (typeof value_wh === 'string') {
        found.errors.push({ ...place, column: 'value', message: value_wh });
        continue;
      }
      const is_interval = !scale.is_register;
      yield {
        ...{ line: raw.line, column: 'value', meter, value_wh, note: null },
        reading_type: is_interval ? 'relative' : 'absolute',
        reading_timestamp: instant_ms,
        period_start: is_interval && begin < end ? begin * 1000 : null,
      };
    }
  }
}

async function* chunks(all: readonly Series[], readings: Readings, round: boolean): AsyncGenerator<Found> {
  let found: Found = { readings: [], errors: [], bytes: 0 };
  for (const series of all) {
    for (const reading of readingsOf(series, readings, round, found)) {
      found.readings.push(reading);
      if (found.readings.length < READINGS_AT_ONCE) continue;
      yield found;
      found = { readings: [], errors: [], bytes: 0 };
    }
  }
  yield found;
}

/** The whole feed is read first, its readings as bare numbers: links may come after what they join. */
export async function openGreenButton(
  body: AsyncIterable<Uint8Array>,
  { round = false, meter }: Wishes,
  zone: string,
  encoding: string,
): Promise<Opened> {
  const { entries, readings }: Feed = await readFeed(body, encoding);
  const { series, others } = seriesOf(entries);
  if (series.length === 0 && others === 0)
    throw invalid([{ path: 'line 1', message: 'is XML without Green Button interval blocks' }]);
  const named = series.map((each) => ({ ...each, meter: (series.length === 1 && meter) || each.meter }));
  const meters = [...new Set(named.map((each) => each.meter))];
  const left_out = others === 0 ? [] : [`${others} values that are no energy in Wh are left out.`];
  return {
    plan: {
      ...{ format: 'greenbutton', layout: 'feed', meters },
      columns: { timestamp: 'timePeriod', meter: 'UsagePoint', value: 'value' },
      explained: [`A Green Button feed with ${meters.length} usage points.`, ...left_out],
      ...{ delimiter: null, decimal: null, date_format: null, timezone: zone, unit: 'Wh' },
      ...{ reading_type: null, label: 'start', encoding, round, heading_line: null },
    },
    readings: chunks(named, readings, round),
  };
}
