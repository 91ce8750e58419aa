/** Finds a property the way people name it. */
import type { Client } from '../client/index.ts';
import type { Property } from '../contract/properties.ts';
import { MAX_PAGE } from '../contract/schema.ts';
import { fold, tidy } from '../core/text.ts';
import { Failure } from './failure.ts';

/** The caller's active properties of exactly this name, upper or lower case. */
export async function propertiesNamed(client: Client, name: string): Promise<Property[]> {
  const { items } = await client.listProperties({ search: tidy(name), limit: MAX_PAGE });
  return items.filter(({ display_name }) => fold(display_name) === fold(tidy(name)));
}

/** @param id_or_name digits are an id */
export async function findProperty(client: Client, id_or_name: string): Promise<Property> {
  if (/^\d+$/.test(id_or_name)) return client.getProperty({ property_id: Number(id_or_name) });
  const [property, ...others] = await propertiesNamed(client, id_or_name);
  if (!property) {
    const { items } = await client.listProperties({ limit: MAX_PAGE });
    const names = items.map(({ id, display_name }) => `${display_name} (${id})`).join(', ');
    throw new Failure(
      `You have no property named ${JSON.stringify(id_or_name)}; yours: ${names || 'none'}.`,
      'refused',
    );
  }
  if (others.length > 0) {
    const ids = [property, ...others].map(({ id }) => id).join(', ');
    throw new Failure(
      `Several properties are named ${property.display_name}: say which id, ${ids}.`,
      'refused',
    );
  }
  return property;
}
