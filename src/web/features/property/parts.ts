/** What a bar is made of: every meter that has none below it, and what is left of those that have. */
import type { Series } from '../../../contract/consumption.ts';
import type { Meter } from '../../../contract/meters.ts';
import { type Branch, physicalTree } from '../../tree.ts';

export type Bucket = Series['buckets'][number];

export interface Part {
  id: string;
  /** Null: what no submeter measured. */
  meter: Meter | null;
  /** What is left of the meter beside those below it. */
  is_rest: boolean;
  colour: string;
}

/** What one bar shows, in kWh. */
export interface Amounts {
  /** What is known of all of it. */
  total: number | null;
  /** By part; null where nothing is known. */
  parts: (number | null)[];
  /** Known of the main meter, but not whose it is. */
  unattributed: number;
  /** Share of its time over which the total is known. */
  coverage: number;
  estimated: boolean;
}

const COLOURS = 8;

/** In the order of the tree; the unmetered rest of the house, in sight of whoever sees its main meter, last. */
export function partsOf(meters: readonly Meter[]): Part[] {
  const [top] = physicalTree(meters);
  const has_main = top?.meter.meter_type === 'main_meter';
  const found: Omit<Part, 'colour'>[] = [];
  const visit = ({ meter, below }: Branch) => {
    below.forEach(visit);
    found.push({ id: `${meter.id}`, meter, is_rest: below.length > 0 });
  };
  (has_main ? top.below : physicalTree(meters)).forEach(visit);
  const parts = found.map((part, i) => ({ ...part, colour: `var(--series-${(i % COLOURS) + 1})` }));
  return has_main
    ? [...parts, { id: 'unmetered', meter: null, is_rest: true, colour: 'var(--rest)' }]
    : parts;
}

const toNumber = (kwh: string | null) => (kwh === null ? null : Number(kwh));

export function amountsOf(bucket: Bucket, parts: readonly Part[]): Amounts {
  const by_meter = new Map(bucket.submeters.map((each) => [each.meter_id, each]));
  const amounts = parts.map(({ meter, is_rest }) => {
    if (meter === null) return toNumber(bucket.unmetered_consumption);
    const figures = by_meter.get(meter.id);
    if (!figures) return null;
    return toNumber(is_rest ? figures.unmetered_consumption : figures.known_consumption);
  });
  const attributed = amounts.reduce<number>((sum, amount) => sum + (amount ?? 0), 0);
  const all_unknown = amounts.every((amount) => amount === null);
  const main = toNumber(bucket.known_consumption);
  const coverages = bucket.submeters.map(({ coverage }) => coverage);
  return {
    total: main ?? (all_unknown || bucket.coverage !== null ? null : attributed),
    parts: amounts,
    unattributed: Math.max(0, (main ?? attributed) - attributed),
    coverage: bucket.coverage ?? Math.min(1, ...coverages),
    estimated: bucket.estimated,
  };
}

/** The sum over all bars, as far as it is known. */
export function sumOf(bars: readonly Amounts[]): Amounts {
  const add = (one: number | null, other: number | null) =>
    one === null && other === null ? null : (one ?? 0) + (other ?? 0);
  return bars.reduce((sum, bar) => ({
    total: add(sum.total, bar.total),
    parts: sum.parts.map((part, i) => add(part, bar.parts[i]!)),
    unattributed: sum.unattributed + bar.unattributed,
    coverage: Math.min(sum.coverage, bar.coverage),
    estimated: sum.estimated || bar.estimated,
  }));
}

/** A round number at or above the highest value, and the lines below it. */
export function scaleOf(highest: number): { top: number; lines: number[] } {
  if (highest <= 0) return { top: 1, lines: [0, 1] };
  const size = 10 ** Math.floor(Math.log10(highest));
  const step = [0.2, 0.5, 1, 2].map((each) => each * size).find((each) => highest / each <= 5)!;
  const count = Math.ceil(highest / step - 1e-9);
  return { top: count * step, lines: Array.from({ length: count + 1 }, (_, i) => i * step) };
}
