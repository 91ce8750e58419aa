import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import type { Meter } from '../../../contract/meters.ts';
import type { Property as PropertyOf } from '../../../contract/properties.ts';
import { type Day, dayAt } from '../../calendar.ts';
import { formatPeriod } from '../../languages/days.ts';
import { formatChange, formatDateTime, formatKwh } from '../../languages/format.ts';
import { words } from '../../languages/words.ts';
import { dashboardQuery, metersQuery, propertyQuery } from '../../queries.ts';
import { Button, ButtonLink } from '../../ui/button.tsx';
import { Card, Empty, Failure, Page, Skeleton, Waiting } from '../../ui/page.tsx';
import { PropertySwitch } from '../../ui/property-switch.tsx';
import { barOf, closer } from './bar.ts';
import { Bars } from './bars.tsx';
import { Behind } from './behind.tsx';
import { Breakdown } from './breakdown.tsx';
import { CalendarMap } from './calendar-map.tsx';
import { seriesQuery } from './data.ts';
import { say } from './messages.ts';
import { type Amounts, amountsOf, partsOf, sumOf } from './parts.ts';
import { comparedWith, knownEnd, type Period, type PeriodSearch, toPeriod } from './period.ts';
import { PeriodBar } from './period-bar.tsx';
import { ValueTable } from './table.tsx';

interface ShownProps {
  property: PropertyOf;
  meters: readonly Meter[];
  period: Period;
  /** When any meter was last read. */
  latest: string;
  /** The day of it. */
  last: Day;
  go: (search: PeriodSearch) => void;
}

interface TotalProps {
  sum: Amounts;
  /** Of the period compared with; null where the two cannot be compared. */
  was: Amounts | null;
  /** What the period compared with is called. */
  other: string;
}

/** The total of the period, and how it compares. */
function Total({ sum, was, other }: TotalProps) {
  const comparable = was?.total && sum.total !== null && sum.coverage === 1 && was.coverage === 1;
  return (
    <p className="flex flex-wrap items-baseline gap-x-3">
      <span className="text-3xl font-bold tracking-tight tabular-nums">
        {sum.total === null ? words('unknown') : formatKwh(sum.total)}
      </span>
      {comparable && (
        <span className="text-quiet">
          {say('against', { change: formatChange(sum.total! / was.total! - 1), period: other })}
        </span>
      )}
    </p>
  );
}

function Shown({ property, meters, period, latest, last, go }: ShownProps) {
  const [picked, setPicked] = useState<number | null>(null);
  const { id, timezone } = property;
  const end = knownEnd(period, latest, last);
  const {
    data: series,
    error,
    refetch,
    isPlaceholderData,
  } = useQuery(seriesQuery(id, period.start, end, period.bars));
  const other = comparedWith(period);
  const { data: before } = useQuery({
    ...seriesQuery(id, other?.start ?? '', other?.end ?? '', period.bars),
    enabled: other !== null,
    placeholderData: () => undefined,
  });
  if (error) return <Failure error={error} retry={refetch} />;
  if (!series) {
    return (
      <Waiting>
        <Skeleton className="h-96" />
        <Skeleton className="h-80" />
      </Waiting>
    );
  }
  const parts = partsOf(meters);
  const bars = series.buckets.map((bucket) => barOf(bucket, parts, series.interval, timezone));
  const compared =
    other && before ? bars.map((_, i) => before.buckets[i] && amountsOf(before.buckets[i], parts).total) : [];
  const were = compared.map((each) => each ?? null);
  const total = sumOf(bars);
  const otherName = other ? formatPeriod(other.start, other.end, period.unit) : '';
  // A period that is not over yet is not held against a whole one.
  const was =
    before && end === period.end ? sumOf(before.buckets.map((bucket) => amountsOf(bucket, parts))) : null;
  const label = say('picture', {
    total: total.total === null ? words('unknown') : formatKwh(total.total),
    start: formatPeriod(period.start, period.end, period.unit),
    count: bars.length,
  });
  const zoom = picked === null ? null : closer(series, picked, timezone);
  return (
    <>
      <Card className={`flex flex-col gap-3 ${isPlaceholderData ? 'opacity-50' : ''}`}>
        <h2 className="sr-only">{say('over_time')}</h2>
        <p className="hidden font-semibold print:block">
          {formatPeriod(period.start, period.end, period.unit)}
        </p>
        <Total sum={total} was={was} other={otherName} />
        <Bars bars={bars} parts={parts} before={were} label={label} onPick={setPicked} />
        <div className="flex flex-col text-sm text-quiet">
          {end === latest && <p>{say('read_until', { date: formatDateTime(latest, timezone) })}</p>}
          {other && <p>{say('mark', { period: otherName })}</p>}
          {total.estimated && <p>{say('hatched')}</p>}
          {total.coverage < 1 && <p>{say('gap')}</p>}
        </div>
      </Card>
      <Breakdown
        property_id={id}
        start_timestamp={series.start_timestamp}
        end_timestamp={series.end_timestamp}
        meters={meters}
        parts={parts}
      />
      <section className="flex flex-col gap-3">
        <h2>{say('as_table')}</h2>
        <ValueTable bars={bars} parts={parts} before={were} caption={say('as_table')} onPick={setPicked} />
      </section>
      <CalendarMap property_id={id} period={period} end={end} parts={parts} />
      {picked !== null && bars[picked] && (
        <Behind
          property_id={id}
          timezone={timezone}
          bar={bars[picked]}
          bucket={series.buckets[picked]!}
          parts={parts}
          warnings={series.warnings}
          latest={latest}
          onCloser={
            zoom &&
            (() => {
              setPicked(null);
              go({ ...zoom, ...(period.compare ? { compare: period.compare } : {}) });
            })
          }
          onClose={() => setPicked(null)}
        />
      )}
    </>
  );
}

/** Where a property's energy went. */
export function Property() {
  const property_id = Number(useParams({ from: '/inside/tabs/properties/$property_id' }).property_id);
  const search = useSearch({ from: '/inside/tabs/properties/$property_id' });
  const navigate = useNavigate();
  const property = useQuery(propertyQuery(property_id));
  const meters = useQuery(metersQuery(property_id));
  const dashboard = useQuery(dashboardQuery);
  const error = property.error ?? meters.error ?? dashboard.error;
  const summary = dashboard.data?.properties_summary.find(({ id }) => id === property_id);
  const go = (to: PeriodSearch) =>
    navigate({
      to: '/properties/$property_id',
      params: { property_id: String(property_id) },
      search: to,
      resetScroll: false,
    });
  const latest = summary?.latest_reading;
  const last = latest && property.data && dayAt(Date.parse(latest) - 1, property.data.timezone);
  const period = last ? toPeriod(search, last) : null;
  return (
    <Page
      title={words('history')}
      above={
        <PropertySwitch
          property_id={property_id}
          to="/properties/$property_id"
          name={property.data?.display_name}
        />
      }
      actions={
        <Button look="quiet" icon="print" onClick={() => print()}>
          {say('print')}
        </Button>
      }
    >
      {error && (
        <Failure
          error={error}
          retry={() => void Promise.all([property.refetch(), meters.refetch(), dashboard.refetch()])}
        />
      )}
      {!error && !(property.data && meters.data && dashboard.data) && (
        <Waiting>
          <Skeleton className="h-32" />
          <Skeleton className="h-96" />
        </Waiting>
      )}
      {dashboard.data && !latest && (
        <Empty icon="history" title={say('never_read')}>
          <p className="text-quiet">{say('never_read_explained')}</p>
          <ButtonLink to="/read" icon="read">
            {words('read_meters')}
          </ButtonLink>
        </Empty>
      )}
      {property.data && meters.data && period && last && latest && (
        <>
          <PeriodBar period={period} last={last} onChange={go} />
          <Shown
            property={property.data}
            meters={meters.data}
            period={period}
            latest={latest}
            last={last}
            go={go}
          />
        </>
      )}
    </Page>
  );
}
