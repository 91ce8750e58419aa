import { useQuery } from '@tanstack/react-query';
import { words } from '../../languages/words.ts';
import { dashboardQuery, propertiesQuery } from '../../queries.ts';
import { ButtonLink } from '../../ui/button.tsx';
import { Failure, Page, Skeleton, Waiting } from '../../ui/page.tsx';
import { PropertyCard } from './card.tsx';
import { Welcome } from './welcome.tsx';

export function Overview() {
  const dashboard = useQuery(dashboardQuery);
  const properties = useQuery(propertiesQuery);
  const error = dashboard.error ?? properties.error;
  if (dashboard.data && properties.data) {
    if (properties.data.length === 0) return <Welcome />;
    const by_id = new Map(properties.data.map((property) => [property.id, property]));
    const shown = dashboard.data.properties_summary.flatMap((summary) => {
      const property = by_id.get(summary.id);
      return property ? [{ summary, property }] : [];
    });
    return (
      <Page title={words('overview')}>
        <ButtonLink large icon="read" to="/read" className="sm:self-start">
          {words('read_meters')}
        </ButtonLink>
        <ul className="grid gap-4 lg:grid-cols-2">
          {shown.map(({ summary, property }) => (
            <li key={property.id}>
              <PropertyCard summary={summary} property={property} />
            </li>
          ))}
        </ul>
        <ButtonLink look="quiet" icon="plus" to="/properties/new" className="self-start">
          {words('new_property')}
        </ButtonLink>
      </Page>
    );
  }
  return (
    <Page title={words('overview')}>
      {error ? (
        <Failure
          error={error}
          retry={() => {
            void dashboard.refetch();
            void properties.refetch();
          }}
        />
      ) : (
        <Waiting>
          <Skeleton className="h-14" />
          <div className="grid gap-4 lg:grid-cols-2">
            <Skeleton className="h-72" />
            <Skeleton className="hidden h-72 lg:block" />
          </div>
        </Waiting>
      )}
    </Page>
  );
}
