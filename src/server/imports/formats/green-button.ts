/** Green Button files: readings of one or several usage points, joined by the links of the feed and never by order. */
import { tidy } from '../../../core/text.ts';
import { MAX_INSTANT_MS, MIN_INSTANT_MS } from '../../../core/time.ts';
import { MAX_REGISTER_WH } from '../../../core/units.ts';
import { invalid } from '../../errors.ts';
import { type FeedEntry, type RawReading, readFeed } from './espi.ts';
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

/** Whether a link's address is the thing itself, the collection it stands in, or something below it. */
function leads(from: string, to: string): boolean {
  const [a, b] = [from, to].map((href) => href.replace(/\/+$/, ''));
  return a !== '' && b !== '' && (a === b || b!.startsWith(`${a}/`));
}

/** The entry that another hangs below: its own address or one of its links leads there. */
function ownerOf(entry: FeedEntry, owners: readonly FeedEntry[]): FeedEntry | undefined {
  const of_link = owners.find(({ related }) =>
    related.some((href) => href === entry.up || href === entry.self),
  );
  return (
    of_link ?? owners.find(({ self }) => leads(self, entry.self) || leads(self, entry.up)) ?? single(owners)
  );
}

/** Where there is only one, links may be left out. */
function single<T>(entries: readonly T[]): T | undefined {
  return entries.length === 1 ? entries[0] : undefined;
}

function nameOf(point: FeedEntry | undefined, type: FeedEntry | undefined): string {
  const name = tidy(point?.title ?? '');
  return type?.fields.get('flowDirection') === REVERSE ? `${name} (delivered)`.trim() : name;
}

/** @returns the series that are energy, and how many values are something else */
function seriesOf(entries: readonly FeedEntry[]): { series: Series[]; others: number } {
  const of = (kind: FeedEntry['kind']) => entries.filter((entry) => entry.kind === kind);
  const [points, readings, types] = [of('UsagePoint'), of('MeterReading'), of('ReadingType')];
  const found = new Map<FeedEntry | undefined, Series>();
  let others = 0;
  for (const block of of('IntervalBlock')) {
    const reading = ownerOf(block, readings);
    const type = types.find(({ self }) => reading?.related.includes(self)) ?? single(types);
    if ((type?.fields.get('uom') ?? WATT_HOURS) !== WATT_HOURS) {
      others += block.readings.length;
      continue;
    }
    const series = found.get(reading);
    if (series) {
      series.blocks.push(block);
      continue;
    }
    const point = reading && ownerOf(reading, points);
    const length = Number(type?.fields.get('intervalLength'));
    found.set(reading, {
      meter: nameOf(point ?? single(points), type),
      scale: {
        power: Number(type?.fields.get('powerOfTenMultiplier') ?? 0),
        is_register: REGISTERS.includes(type?.fields.get('accumulationBehaviour') ?? ''),
        interval_s: length > 0 ? length : null,
      },
      blocks: [block],
    });
  }
  return { series: [...found.values()], others };
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
  read(text: string): number | string {
    const value = /^[+]?\d{1,15}$/.test(text) ? Number(text) * this.#factor : Number.NaN;
    if (!Number.isSafeInteger(value))
      return `must be a whole number that is not negative, not ${text.slice(0, 30)}`;
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
  const begin = start ?? Number(block.fields.get('start')) + index * length;
  return [begin, begin + length] as const;
}

function* readingsOf(
  { meter, scale, blocks }: Series,
  round: boolean,
  found: Found,
): Generator<FoundReading> {
  const amounts = new Amounts(scale, round);
  for (const block of blocks) {
    for (const [index, raw] of block.readings.entries()) {
      const place = { line: raw.line, column: null };
      const [begin, end] = periodOf(raw, block, index, scale);
      const instant_ms = end * 1000;
      if (!Number.isSafeInteger(instant_ms) || instant_ms < MIN_INSTANT_MS || instant_ms > MAX_INSTANT_MS) {
        found.errors.push({ ...place, message: 'has no start that could be read: whole seconds since 1970' });
        continue;
      }
      const value_wh = amounts.read(raw.value);
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

async function* chunks(all: readonly Series[], round: boolean): AsyncGenerator<Found> {
  let found: Found = { readings: [], errors: [], bytes: 0 };
  for (const series of all) {
    for (const reading of readingsOf(series, round, found)) {
      found.readings.push(reading);
      if (found.readings.length < READINGS_AT_ONCE) continue;
      yield found;
      found = { readings: [], errors: [], bytes: 0 };
    }
  }
  yield found;
}

/** The whole feed is read first: links may come after what they join. */
export async function openGreenButton(
  body: AsyncIterable<Uint8Array>,
  { round = false, meter }: Wishes,
  zone: string,
): Promise<Opened> {
  const { series, others } = seriesOf(await readFeed(body));
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
      ...{ reading_type: null, label: 'start', encoding: 'utf-8', round },
    },
    readings: chunks(named, round),
  };
}
