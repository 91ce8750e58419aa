import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Property } from '../../../contract/properties.ts';
import type { Dashboard } from '../../../contract/users.ts';
import { dayAt } from '../../calendar.ts';
import { formatDay } from '../../languages/days.ts';
import { formatAgo, formatDateTime, formatKwh, formatPercent } from '../../languages/format.ts';
import { words } from '../../languages/words.ts';
import { Icon } from '../../ui/icons.tsx';
import { Card, Failure, Skeleton } from '../../ui/page.tsx';
import { say } from './messages.ts';
import { type Bucket, consumed, monthsQuery, unmeteredShare } from './months.ts';
import { Sparkline } from './sparkline.tsx';

type Summary = Dashboard['properties_summary'][number];

function Figure({
  label,
  value,
  under,
}: {
  label: string;
  value: string | null;
  under?: string | undefined;
}) {
  return (
    <div className="flex min-w-0 flex-col">
      <dt className="text-sm text-quiet">{label}</dt>
      <dd className="text-lg font-semibold tabular-nums">
        {value ?? <span className="font-normal text-quiet">{words('unknown')}</span>}
        {under && <span className="block text-sm font-normal text-quiet">{under}</span>}
      </dd>
    </div>
  );
}

/** A month's name, with its year, and that it is not over where it is not known to its end. */
function monthName(bucket: Bucket, timezone: string): string {
  return formatDay(dayAt(bucket.start_timestamp, timezone), { month: 'short', year: 'numeric' });
}

function Months({ property, latest }: { property: Property; latest: string }) {
  const { timezone } = property;
  const { data, error, refetch } = useQuery(monthsQuery(property.id, latest, timezone));
  if (error && !data) return <Failure error={error} retry={refetch} />;
  if (!data) return <Skeleton className="h-[8.5rem]" />;
  const [before, current] = data.buckets.slice(-2) as [Bucket, Bucket];
  const with_share = [current, before].find((bucket) => unmeteredShare(bucket) !== null);
  const [now_kwh, before_kwh] = [consumed(current), consumed(before)];
  return (
    <>
      <dl className="grid grid-cols-3 gap-3">
        <Figure
          label={monthName(current, timezone)}
          value={now_kwh === null ? null : formatKwh(now_kwh)}
          under={data.is_whole ? undefined : say('so_far')}
        />
        <Figure
          label={monthName(before, timezone)}
          value={before_kwh === null ? null : formatKwh(before_kwh)}
        />
        {(with_share || property.role !== 'tenant') && (
          <Figure
            label={words('unmetered')}
            value={with_share ? formatPercent(unmeteredShare(with_share)!) : null}
            under={with_share && with_share !== current ? monthName(with_share, timezone) : undefined}
          />
        )}
      </dl>
      <Sparkline buckets={data.buckets} timezone={timezone} />
    </>
  );
}

/** A property at a glance: the whole of it opens the property. */
export function PropertyCard({ summary, property }: { summary: Summary; property: Property }) {
  const { latest_reading, attention_count } = summary;
  return (
    <Card className="relative flex flex-col gap-4 has-[a:hover]:border-edge">
      <div>
        <h2 className="text-lg break-words">
          <Link
            to="/properties/$property_id"
            params={{ property_id: String(property.id) }}
            className="text-ink no-underline after:absolute after:inset-0 after:rounded-2xl"
          >
            {property.display_name}
          </Link>
        </h2>
        <p className="text-sm text-quiet">
          {latest_reading ? (
            <time dateTime={latest_reading} title={formatDateTime(latest_reading, property.timezone)}>
              {say('last_read', { when: formatAgo(latest_reading) })}
            </time>
          ) : (
            say('never_read')
          )}
        </p>
      </div>
      {latest_reading ? <Months property={property} latest={latest_reading} /> : <p>{say('first_round')}</p>}
      {attention_count > 0 && (
        <p className="flex items-center gap-2 rounded-xl bg-warn-ground px-3 py-2 font-medium text-warn">
          <Icon name="attention" size={20} />
          {words('needs_attention', { count: attention_count })}
        </p>
      )}
    </Card>
  );
}
