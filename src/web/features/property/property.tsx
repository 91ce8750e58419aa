import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { words } from '../../languages/words.ts';
import { propertyQuery } from '../../queries.ts';
import { Failure, Page } from '../../ui/page.tsx';
import { PropertySwitch } from '../../ui/property-switch.tsx';

/** Where a property's energy went. */
export function Property() {
  const { property_id } = useParams({ from: '/inside/tabs/properties/$property_id' });
  const { data, error, refetch } = useQuery(propertyQuery(Number(property_id)));
  return (
    <Page
      title={data?.display_name ?? words('history')}
      above={<PropertySwitch property_id={Number(property_id)} to="/properties/$property_id" />}
    >
      {error && <Failure error={error} retry={refetch} />}
    </Page>
  );
}
