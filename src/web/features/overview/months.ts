import { queryOptions } from '@tanstack/react-query';
import type { Series } from '../../../contract/consumption.ts';
import { add, dayAt, startOf } from '../../calendar.ts';
import { api } from '../../session.ts';

/** As many months as the small picture shows: a year, and the month a year ago. */
const MONTHS = 13;

export type Bucket = Series['buckets'][number];

/** What was used in a month, as far as one may see: the main meter, or the sum of the meters in sight. */
export function consumed(bucket: Bucket): number | null {
  if (bucket.known_consumption !== null) return Number(bucket.known_consumption);
  const known = bucket.submeters.flatMap((meter) => meter.known_consumption ?? []);
  return known.length === 0 || bucket.coverage !== null
    ? null
    : known.reduce((sum, kwh) => sum + Number(kwh), 0);
}

/** Share of the main meter's consumption that no submeter has measured, 0 … 1; null where it is not known. */
export function unmeteredShare(bucket: Bucket): number | null {
  const [all, rest] = [bucket.main_meter_consumption, bucket.unmetered_consumption];
  return all === null || rest === null || Number(all) === 0 ? null : Number(rest) / Number(all);
}

/**
 * The months up to the last reading, the last of them up to that instant: what comes after is unknown anyway.
 * @param latest_reading instant of the last reading
 */
export const monthsQuery = (property_id: number, latest_reading: string, timezone: string) =>
  queryOptions({
    queryKey: ['property', property_id, 'months', latest_reading],
    queryFn: async ({ signal }) => {
      const last = dayAt(Date.parse(latest_reading) - 1, timezone);
      const month = startOf('month', last);
      const is_whole = dayAt(latest_reading, timezone) === add('month', month, 1);
      const start_date = add('month', month, 1 - MONTHS);
      const end_date = is_whole ? add('month', month, 1) : latest_reading;
      const { buckets } = await api.getSeries(
        { property_id, start_date, end_date, interval: 'month' },
        { signal },
      );
      return { buckets, is_whole };
    },
  });
