import { dayAt } from '../../calendar.ts';
import { formatDay } from '../../languages/days.ts';
import { formatKwh } from '../../languages/format.ts';
import { say } from './messages.ts';
import { type Bucket, consumed } from './months.ts';

/** Thirteen small bars; a month of which nothing is known is a dot on the line. */
export function Sparkline({ buckets, timezone }: { buckets: readonly Bucket[]; timezone: string }) {
  const values = buckets.map(consumed);
  const highest = Math.max(...values.map((value) => value ?? 0)) || 1;
  const list = buckets.map((bucket, i) => {
    const month = formatDay(dayAt(bucket.start_timestamp, timezone), { month: 'short', year: 'numeric' });
    return `${month} ${values[i] === null ? say('not_known') : formatKwh(values[i]!)}`;
  });
  return (
    <svg
      role="img"
      aria-label={say('months', { list: list.join(', ') })}
      viewBox={`0 0 ${buckets.length * 10} 40`}
      preserveAspectRatio="none"
      className="h-12 w-full"
    >
      {values.map((value, i) => {
        const height = value === null ? 1.5 : Math.max(1.5, (value / highest) * 39);
        const is_last = i === values.length - 1;
        return (
          <rect
            key={buckets[i]!.start_timestamp}
            x={i * 10 + 1.5}
            y={40 - height}
            width={7}
            height={height}
            rx={1}
            fill={value === null ? 'var(--edge)' : is_last ? 'var(--accent)' : 'var(--rest)'}
          />
        );
      })}
    </svg>
  );
}
