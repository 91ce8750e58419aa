import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import type { Attention } from '../../../contract/attention.ts';
import type { Meter } from '../../../contract/meters.ts';
import { formatAgo, formatDateTime, formatExact } from '../../languages/format.ts';
import { messages } from '../../languages/index.ts';
import { words } from '../../languages/words.ts';
import { attentionQuery, lastReadingQuery, metersQuery, propertyQuery } from '../../queries.ts';
import { type Branch, treeOf } from '../../tree.ts';
import { Icon } from '../../ui/icons.tsx';
import { Failure, Page, Skeleton, Waiting } from '../../ui/page.tsx';
import { PropertySwitch } from '../../ui/property-switch.tsx';

const say = messages({
  virtual: { en: 'calculated', sv: 'beräknad', de: 'berechnet' },
  never: { en: 'Not read yet', sv: 'Inte avläst än', de: 'Noch nicht abgelesen' },
  overdue: { en: 'overdue', sv: 'försenad', de: 'überfällig' },
  decreased: { en: 'register went down', sv: 'ställningen har sjunkit', de: 'Stand ist gesunken' },
  implausible: { en: 'unusually much', sv: 'ovanligt mycket', de: 'ungewöhnlich viel' },
  submeters_exceed_main: {
    en: 'less than its submeters',
    sv: 'mindre än undermätarna',
    de: 'weniger als die Unterzähler',
  },
  submeters_exceed_parent: {
    en: 'less than the meters below it',
    sv: 'mindre än mätarna under den',
    de: 'weniger als die Zähler darunter',
  },
  below: { en: 'Meters below {name}', sv: 'Mätare under {name}', de: 'Zähler unter {name}' },
});

/** What a meter showed last, and when; for a virtual one there is no such thing. */
function Last({ meter, timezone }: { meter: Meter; timezone: string }) {
  const { data, error } = useQuery(lastReadingQuery(meter.property_id, meter.id));
  if (error) return <span className="text-sm text-quiet">{words('unknown')}</span>;
  if (data === undefined) return <Skeleton className="h-10 w-28" />;
  if (data === null) return <span className="text-sm text-quiet">{say('never')}</span>;
  return (
    <span className="shrink-0 text-right">
      <span className="block font-semibold tabular-nums">{formatExact(data.value)} kWh</span>
      <time
        className="block text-sm text-quiet"
        dateTime={data.reading_timestamp}
        title={formatDateTime(data.reading_timestamp, timezone)}
      >
        {formatAgo(data.reading_timestamp)}
      </time>
    </span>
  );
}

interface RowProps {
  meter: Meter;
  timezone: string;
  /** What is the matter with it, for people. */
  attention: readonly Attention[];
}

function Row({ meter, timezone, attention }: RowProps) {
  const is_main = meter.meter_type === 'main_meter';
  const is_virtual = meter.sub_meter_kind === 'virtual';
  const about = [
    is_main && meter.name !== words('main_meter') && words('main_meter'),
    is_virtual && say('virtual'),
    meter.location,
  ].filter(Boolean);
  return (
    <div className="flex min-h-16 flex-wrap items-center gap-x-3 gap-y-1 rounded-xl border border-line bg-card px-4 py-2">
      <span className={is_main ? 'text-main' : 'text-quiet'}>
        <Icon name={is_main ? 'bolt' : 'meters'} />
      </span>
      <span className="min-w-20 flex-1">
        <span className="block font-medium break-words">{meter.name}</span>
        {about.length > 0 && <span className="block text-sm text-quiet">{about.join(' · ')}</span>}
        {attention.length > 0 && (
          <span className="flex items-center gap-1.5 text-sm font-medium text-warn">
            <Icon name="attention" size={16} />
            {[...new Set(attention.map(({ code }) => say(code)))].join(', ')}
          </span>
        )}
      </span>
      {!is_virtual && <Last meter={meter} timezone={timezone} />}
    </div>
  );
}

type TreeProps = Omit<RowProps, 'meter'> & { branches: readonly Branch[]; label: string };

function Tree({ branches, label, timezone, attention }: TreeProps) {
  return (
    <ul aria-label={label} className="flex flex-col gap-2">
      {branches.map(({ meter, below }) => (
        <li key={meter.id} className="flex flex-col gap-2">
          <Row
            meter={meter}
            timezone={timezone}
            attention={attention.filter(({ meter_id }) => meter_id === meter.id)}
          />
          {below.length > 0 && (
            <div className="ml-3 border-l-2 border-line pl-3 sm:ml-6 sm:pl-5">
              <Tree
                branches={below}
                label={say('below', { name: meter.name })}
                timezone={timezone}
                attention={attention}
              />
            </div>
          )}
        </li>
      ))}
    </ul>
  );
}

/** The meters of a property, as they hang below one another. */
export function Meters() {
  const { property_id } = useParams({ from: '/inside/tabs/properties/$property_id/meters' });
  const id = Number(property_id);
  const property = useQuery(propertyQuery(id));
  const { data, error, refetch } = useQuery(metersQuery(id));
  const attention = useQuery(attentionQuery(id));
  return (
    <Page
      title={words('meters')}
      above={
        <PropertySwitch
          property_id={id}
          to="/properties/$property_id/meters"
          name={property.data?.display_name}
        />
      }
    >
      {error && <Failure error={error} retry={refetch} />}
      {!error && !(data && property.data) && (
        <Waiting>
          <Skeleton className="h-14" />
          <Skeleton className="h-14" />
          <Skeleton className="h-14" />
        </Waiting>
      )}
      {data && property.data && (
        <div className="max-w-2xl">
          <Tree
            branches={treeOf(data)}
            label={words('meters')}
            timezone={property.data.timezone}
            attention={attention.data ?? []}
          />
        </div>
      )}
    </Page>
  );
}
