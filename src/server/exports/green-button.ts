/**
 * Readings as Green Button: ESPI (NAESB REQ.21) in an Atom feed, a usage point per meter. Registers are cumulative
 * readings of no duration, intervals are delta data. Instants are whole seconds there.
 */
import { createHash } from 'node:crypto';
import type { MeterRow } from '../meters/store.ts';
import { type Exported, type ExportedReading, pagesOf } from './rows.ts';
import { xml } from './xml.ts';

/** ESPI's numbers for what Electric tells apart. */
const ACCUMULATION = { absolute: 3, relative: 4 } as const;
type Kind = keyof typeof ACCUMULATION;

/** The same thing has the same id in every export. */
function urn(path: string): string {
  const hex = createHash('sha256').update(`electric ${path}`).digest('hex');
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

interface Entry {
  path: string;
  up: string;
  related?: string[];
  title: string;
  content: string;
}

function entry({ path, up, related = [], title, content }: Entry): string {
  const links = [
    `<link rel="self" href="${path}"/>`,
    `<link rel="up" href="${up}"/>`,
    ...related.map((href) => `<link rel="related" href="${href}"/>`),
  ];
  return `<entry><id>${urn(path)}</id>${links.join('')}<title>${xml(title)}</title><content>${content}</content></entry>\n`;
}

function usagePoint(points: string, path: string, { name }: MeterRow): string {
  const content =
    '<UsagePoint xmlns="http://naesb.org/espi"><ServiceCategory><kind>0</kind></ServiceCategory></UsagePoint>';
  return entry({ path, up: points, related: [`${path}/MeterReading`], title: name, content });
}

function meterReading(point: string, kind: Kind): string {
  const path = `${point}/MeterReading/${ACCUMULATION[kind]}`;
  const type = `/espi/1_1/resource/ReadingType/${ACCUMULATION[kind]}`;
  const title = kind === 'absolute' ? 'Register' : 'Intervals';
  const content = '<MeterReading xmlns="http://naesb.org/espi"/>';
  const related = [type, `${path}/IntervalBlock`];
  return entry({ path, up: `${point}/MeterReading`, related, title, content });
}

/** Energy of electricity in Wh, drawn from the grid; the elements in the order of the schema. */
function readingType(kind: Kind): string {
  const number = ACCUMULATION[kind];
  const path = `/espi/1_1/resource/ReadingType/${number}`;
  const content =
    `<ReadingType xmlns="http://naesb.org/espi"><accumulationBehaviour>${number}</accumulationBehaviour>` +
    '<commodity>1</commodity><dataQualifier>12</dataQualifier><flowDirection>1</flowDirection><kind>12</kind>' +
    '<powerOfTenMultiplier>0</powerOfTenMultiplier><uom>72</uom></ReadingType>';
  return entry({ path, up: '/espi/1_1/resource/ReadingType', title: `Energy (${kind})`, content });
}

const seconds = (instant_ms: number) => Math.floor(instant_ms / 1000);

interface Interval {
  start: number;
  duration: number;
  value: number;
}

function block(reading: string, number: number, intervals: readonly Interval[]): string {
  const [first, last] = [intervals[0]!, intervals.at(-1)!];
  const period = (start: number, duration: number) =>
    `<duration>${duration}</duration><start>${start}</start>`;
  const readings = intervals.map(
    ({ start, duration, value }) =>
      `<IntervalReading><timePeriod>${period(start, duration)}</timePeriod><value>${value}</value></IntervalReading>`,
  );
  const content =
    `<IntervalBlock xmlns="http://naesb.org/espi"><interval>${period(first.start, last.start + last.duration - first.start)}</interval>` +
    `${readings.join('')}</IntervalBlock>`;
  const path = `${reading}/IntervalBlock/${number}`;
  return entry({ path, up: `${reading}/IntervalBlock`, title: `Block ${number}`, content });
}

/** A register has no duration; an interval begins where it says, else at the reading before. */
function intervalOf(row: ExportedReading, previous_ms: number | null): Interval {
  const end = seconds(row.reading_timestamp);
  const from_ms = row.kind === 'relative' ? (row.period_start ?? previous_ms) : null;
  const start = from_ms === null ? end : seconds(from_ms);
  return { start, duration: end - start, value: row.value_wh };
}

async function* ofMeter(exported: Exported, meter: MeterRow, points: string): AsyncGenerator<string> {
  const point = `${points}/${meter.id}`;
  yield usagePoint(points, point, meter);
  yield meterReading(point, 'absolute') + meterReading(point, 'relative');
  let previous_ms: number | null = null;
  let blocks = 0;
  for await (const rows of pagesOf(exported, [meter])) {
    const intervals: Record<Kind, Interval[]> = { absolute: [], relative: [] };
    for (const row of rows) {
      intervals[row.kind as Kind].push(intervalOf(row, previous_ms));
      previous_ms = row.reading_timestamp;
    }
    for (const kind of ['absolute', 'relative'] as const) {
      if (intervals[kind].length === 0) continue;
      blocks += 1;
      yield block(`${point}/MeterReading/${ACCUMULATION[kind]}`, blocks, intervals[kind]);
    }
  }
}

export async function* toGreenButton(exported: Exported, now: string): AsyncGenerator<string> {
  const { property, meters } = exported;
  const points = `/espi/1_1/resource/RetailCustomer/${property.id}/UsagePoint`;
  yield '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">' +
    `<id>${urn(points)}</id><title>${xml(property.display_name)}</title><updated>${now}</updated>` +
    `<link rel="self" href="${points}"/>\n`;
  yield readingType('absolute') + readingType('relative');
  for (const meter of meters) yield* ofMeter(exported, meter, points);
  yield '</feed>\n';
}
