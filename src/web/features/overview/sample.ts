/** A real house to look at: four years of daily registers, which the server has beside the app. */
import { queries, rememberProperty } from '../../queries.ts';
import { api } from '../../session.ts';
import { say } from './messages.ts';

/** Makes a property of the sample. Throws what the calls throw; a property that was begun then stays, without readings. */
export async function loadSample(): Promise<void> {
  const { default: address } = await import('../../../../samples/sceaux/daily-registers.csv?url');
  const response = await fetch(address);
  if (!response.ok) throw new TypeError('the sample cannot be reached');
  const upload = await response.text();
  const property = await api.createProperty({
    body: { display_name: say('sample_house'), timezone: 'Europe/Paris', currency: 'EUR' },
  });
  await api.importReadings({
    property_id: property.id,
    content_type: 'text/csv',
    upload,
    create_missing: true,
    meter_names: JSON.stringify({ main: property.main_meter_id }),
  });
  rememberProperty(property.id);
  await queries.invalidateQueries();
}
