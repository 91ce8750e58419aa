/** A bucket of the series as a bar: its amounts, and what it is called. */
import type { Series } from '../../../contract/consumption.ts';
import { addDays, dayAt } from '../../calendar.ts';
import { formatPeriod } from '../../languages/days.ts';
import { formatDatePart, formatDateTime } from '../../languages/format.ts';
import type { Bar } from './bars.tsx';
import { amountsOf, type Bucket, type Part } from './parts.ts';
import type { Interval, PeriodSearch } from './period.ts';

/** How a bar is called below the axis. */
const LABELS: Record<Interval, Intl.DateTimeFormatOptions> = {
  hour: { hour: '2-digit' },
  day: { day: 'numeric', month: 'numeric' },
  week: { day: 'numeric', month: 'numeric' },
  month: { month: 'short' },
  year: { year: 'numeric' },
};

export function barOf(bucket: Bucket, parts: readonly Part[], interval: Interval, timezone: string): Bar {
  const { start_timestamp, end_timestamp } = bucket;
  const [start, end] = [dayAt(start_timestamp, timezone), dayAt(end_timestamp, timezone)];
  return {
    ...amountsOf(bucket, parts),
    label: formatDatePart(start_timestamp, timezone, LABELS[interval]),
    title:
      interval === 'hour' ? formatDateTime(start_timestamp, timezone) : formatPeriod(start, end, interval),
  };
}

/** The period that shows a bar in smaller ones; null where hours are reached. */
export function closer(series: Series, index: number, timezone: string): PeriodSearch | null {
  const { start_timestamp, end_timestamp } = series.buckets[index]!;
  const [from, to] = [dayAt(start_timestamp, timezone), dayAt(end_timestamp, timezone)];
  const { interval } = series;
  if (interval === 'hour') return null;
  // The first and last bar may be cut by the period's own dates.
  return interval === 'week' && to !== addDays(from, 7) ? { from, to } : { unit: interval, on: from };
}
