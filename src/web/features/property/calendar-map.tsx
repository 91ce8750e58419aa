import { useQuery } from '@tanstack/react-query';
import { addDays, type Day, dayAt, daysBetween, startOf } from '../../calendar.ts';
import { formatDay } from '../../languages/days.ts';
import { formatDatePart, formatKwh } from '../../languages/format.ts';
import { words } from '../../languages/words.ts';
import { Card } from '../../ui/page.tsx';
import { useSeen } from '../../ui/use-seen.ts';
import { seriesQuery } from './data.ts';
import { type Cell, HeatMap } from './map.tsx';
import { say } from './messages.ts';
import { amountsOf, type Bucket, type Part } from './parts.ts';
import type { Period } from './period.ts';

/** Fewer of the cells than this are read at both ends: a calendar would show a straight line between two readings. */
const READ_SHARE = 0.5;
/** The longest period that a calendar of hours is drawn for, in days. */
const HOURS_UP_TO = 31;

function isRead(buckets: readonly Bucket[]): boolean {
  const known = buckets.filter(({ coverage }) => coverage === 1);
  return known.length > 0 && known.filter(({ estimated }) => !estimated).length / known.length >= READ_SHARE;
}

interface MapProps {
  buckets: readonly Bucket[];
  parts: readonly Part[];
  timezone: string;
  start: Day;
}

function titleOf(when: string, kwh: number | null): string {
  return `${when}: ${kwh === null ? words('unknown') : formatKwh(kwh)}`;
}

/** A column a week, a row a day of it. */
function Days({ buckets, parts, timezone, start }: MapProps) {
  const first = startOf('week', start);
  const cells = buckets.map((bucket): Cell => {
    const day = dayAt(bucket.start_timestamp, timezone);
    const from_first = daysBetween(first, day);
    const kwh = amountsOf(bucket, parts).total;
    return {
      row: from_first % 7,
      column: Math.floor(from_first / 7),
      kwh,
      title: titleOf(formatDay(day), kwh),
    };
  });
  const weeks = Math.max(...cells.map(({ column }) => column)) + 1;
  const columns = Array.from({ length: weeks }, (_, week) => {
    const monday = addDays(first, week * 7);
    return Number(monday.slice(8)) <= 7 ? formatDay(monday, { month: 'short' }) : '';
  });
  const rows = Array.from({ length: 7 }, (_, i) => formatDay(addDays(first, i), { weekday: 'short' }));
  return <HeatMap cells={cells} rows={rows} columns={columns} label={say('day_by_day')} />;
}

/** A column a day, a row an hour of it. */
function Hours({ buckets, parts, timezone, start }: MapProps) {
  const cells = buckets.map((bucket): Cell => {
    const { start_timestamp } = bucket;
    const hour = Number(
      formatDatePart(start_timestamp, timezone, { hour: '2-digit', hourCycle: 'h23' }).slice(0, 2),
    );
    const kwh = amountsOf(bucket, parts).total;
    const when = formatDatePart(start_timestamp, timezone, { dateStyle: 'medium', timeStyle: 'short' });
    return {
      row: hour,
      column: daysBetween(start, dayAt(start_timestamp, timezone)),
      kwh,
      title: titleOf(when, kwh),
    };
  });
  const days = Math.max(...cells.map(({ column }) => column)) + 1;
  const columns = Array.from({ length: days }, (_, i) =>
    i % 2 === 0 ? String(Number(addDays(start, i).slice(8))) : '',
  );
  const rows = Array.from({ length: 24 }, (_, hour) => (hour % 6 === 0 ? String(hour) : ''));
  return <HeatMap cells={cells} rows={rows} columns={columns} label={say('hour_by_hour')} />;
}

interface Props {
  property_id: number;
  period: Period;
  /** Where what is known of it ends. */
  end: string;
  parts: readonly Part[];
}

/** A calendar of the period, where readings are as close as its cells: hours up to a month, days up to a year. */
export function CalendarMap({ property_id, period, end, parts }: Props) {
  const [ref, seen] = useSeen();
  const { start } = period;
  const days = daysBetween(start, period.end);
  const interval = days <= HOURS_UP_TO ? 'hour' : 'day';
  const { data, isPlaceholderData } = useQuery({
    ...seriesQuery(property_id, start, end, interval),
    enabled: seen && days > 1 && days <= 366,
  });
  const is_shown = data && !isPlaceholderData && data.interval === interval && isRead(data.buckets);
  const shown = data && { buckets: data.buckets, parts, timezone: data.timezone, start };
  return (
    <div ref={ref}>
      {is_shown && shown && (
        <Card className="flex flex-col gap-3">
          <h2>{say(interval === 'hour' ? 'hour_by_hour' : 'day_by_day')}</h2>
          {interval === 'hour' ? <Hours {...shown} /> : <Days {...shown} />}
        </Card>
      )}
    </div>
  );
}
