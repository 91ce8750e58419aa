/** Consumption of a property as a table: a row per period, the totals of the whole span, the warnings. */
import { Temporal } from 'temporal-polyfill';
import type { Client } from '../client/index.ts';
import type { BOUNDARIES, INTERVALS, PropertyConsumption, Series } from '../contract/consumption.ts';
import type { Property } from '../contract/properties.ts';
import { table, wallTime } from './terminal.ts';

export interface Question {
  from: string;
  to: string;
  interval?: (typeof INTERVALS)[number];
  boundary?: (typeof BOUNDARIES)[number];
}

export interface Figures {
  property: Property;
  total: PropertyConsumption;
  /** Null unless an interval was asked for. */
  series: Series | null;
}

export async function getFigures(
  client: Client,
  property: Property,
  { from, to, interval, boundary }: Question,
): Promise<Figures> {
  const options = { property_id: property.id, ...(boundary ? { boundary } : {}) };
  const period = { start_date: from, end_date: to };
  // A series knows which instants the dates mean; the whole span is asked for by instants.
  const series = await client.getSeries({ ...options, ...period, interval: interval ?? 'year' });
  const { start_timestamp, end_timestamp } = series;
  const total = await client.getConsumption({ ...options, start_timestamp, end_timestamp });
  return { property, total, series: interval ? series : null };
}

/** 2009 · 2009-01 · 2009-W05 · 2009-01-31 · 2009-01-31 14:00+01:00 */
function periodLabel(start: string, { interval, timezone }: Series): string {
  const zoned = Temporal.Instant.from(start).toZonedDateTimeISO(timezone);
  const date = zoned.toPlainDate();
  switch (interval) {
    case 'hour':
      return wallTime(start, timezone);
    case 'day':
      return date.toString();
    case 'week':
      return `${date.yearOfWeek}-W${String(date.weekOfYear).padStart(2, '0')}`;
    case 'month':
      return date.toPlainYearMonth().toString();
    case 'year':
      return String(date.year);
  }
}

/** Three decimals, so that figures stand below each other; ~ marks an estimate, ? what is unknown. */
function figure(kwh: string | null, is_estimated: boolean): string {
  if (kwh === null) return '?';
  const [whole, fraction = ''] = kwh.split('.');
  return `${is_estimated ? '~' : ''}${whole}.${fraction.padEnd(3, '0')}`;
}

function cells(period: PropertyConsumption | Series['buckets'][number]): string[] {
  return [
    figure(period.main_meter_consumption, period.estimated),
    ...period.submeters.map(({ consumption, estimated }) => figure(consumption, estimated)),
    figure(period.unmetered_consumption, period.estimated),
  ];
}

export function describeFigures({ property, total, series }: Figures): string {
  const [start, end] = [total.start_timestamp, total.end_timestamp];
  const span = [start, end].map((instant) => wallTime(instant, property.timezone)).join(' … ');
  const heading = ['kWh', 'main meter', ...total.submeters.map(({ name }) => name), 'unmetered'];
  const rows = (series?.buckets ?? []).map((bucket) => [
    periodLabel(bucket.start_timestamp, series!),
    ...cells(bucket),
  ]);
  const totals = ['total', ...cells(total)];
  const lines = [`${property.display_name}, ${span}`, ''];
  lines.push(series ? table(heading, rows, totals) : table(heading, [totals]));
  const shown = [totals, ...rows].flat();
  if (shown.some((cell) => cell.startsWith('~'))) lines.push('', '~ estimated between two readings');
  if (shown.includes('?')) lines.push('', '? unknown: the readings do not cover it');
  const { warnings } = series ?? total;
  for (const { detail } of warnings) lines.push('', `Warning: ${detail}`);
  return lines.join('\n');
}
