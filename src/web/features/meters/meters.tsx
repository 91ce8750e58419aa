import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import type { Meter } from '../../../contract/meters.ts';
import { messages } from '../../languages/index.ts';
import { words } from '../../languages/words.ts';
import { metersQuery, propertyQuery } from '../../queries.ts';
import { Icon } from '../../ui/icons.tsx';
import { Failure, Page, Skeleton, Waiting } from '../../ui/page.tsx';
import { PropertySwitch } from '../../ui/property-switch.tsx';

const say = messages({
  virtual: { en: 'calculated', sv: 'beräknad', de: 'berechnet' },
  below: { en: 'Meters below {name}', sv: 'Mätare under {name}', de: 'Zähler unter {name}' },
});

interface Branch {
  meter: Meter;
  below: Branch[];
}

/** Submeters that name no parent hang below the main meter; what hangs below something out of sight stands at the top. */
export function treeOf(meters: readonly Meter[]): Branch[] {
  const main = meters.find(({ meter_type }) => meter_type === 'main_meter');
  const ids = new Set(meters.map(({ id }) => id));
  const parentOf = (meter: Meter): number | null => {
    if (meter === main) return null;
    const parent = meter.parent_meter_id ?? main?.id ?? null;
    return parent !== null && ids.has(parent) ? parent : null;
  };
  const branches = (parent: number | null): Branch[] =>
    meters
      .filter((meter) => parentOf(meter) === parent)
      .map((meter) => ({ meter, below: branches(meter.id) }));
  return branches(null);
}

function Row({ meter }: { meter: Meter }) {
  const is_main = meter.meter_type === 'main_meter';
  return (
    <div className="flex min-h-14 items-center gap-3 rounded-xl border border-line bg-card px-4 py-2">
      <span className={is_main ? 'text-main' : 'text-quiet'}>
        <Icon name={is_main ? 'bolt' : 'meters'} />
      </span>
      <span className="min-w-0 flex-1">
        <span className="block font-medium break-words">{meter.name}</span>
        <span className="block text-sm text-quiet">
          {[
            is_main && words('main_meter'),
            meter.sub_meter_kind === 'virtual' && say('virtual'),
            meter.location,
          ]
            .filter(Boolean)
            .join(' · ')}
        </span>
      </span>
    </div>
  );
}

function Tree({ branches, label }: { branches: readonly Branch[]; label: string }) {
  return (
    <ul aria-label={label} className="flex flex-col gap-2">
      {branches.map(({ meter, below }) => (
        <li key={meter.id} className="flex flex-col gap-2">
          <Row meter={meter} />
          {below.length > 0 && (
            <div className="ml-3 border-l-2 border-line pl-3 sm:ml-6 sm:pl-5">
              <Tree branches={below} label={say('below', { name: meter.name })} />
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
      {!error && !data && (
        <Waiting>
          <Skeleton className="h-14" />
          <Skeleton className="h-14" />
          <Skeleton className="h-14" />
        </Waiting>
      )}
      {data && (
        <div className="max-w-2xl">
          <Tree branches={treeOf(data)} label={words('meters')} />
        </div>
      )}
    </Page>
  );
}
