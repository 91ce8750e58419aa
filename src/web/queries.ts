/** What several screens ask the server for, each under one key. What only one feature asks for stands in it. */
import { QueryClient, queryOptions } from '@tanstack/react-query';
import { ApiError } from '../client/calls.ts';
import { api } from './session.ts';

/** Answers are shown at once when one comes back to a screen, and renewed if they are older than this. */
const FRESH_MS = 30_000;

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: FRESH_MS,
      // A refusal stays one. Without an answer it is tried once more.
      retry: (failures, error) => failures < 1 && !(error instanceof ApiError && error.problem.status < 500),
      retryDelay: 500,
      networkMode: 'always',
    },
    mutations: { networkMode: 'always' },
  },
});

/** The active properties of whoever is signed in, by name. */
export const propertiesQuery = queryOptions({
  queryKey: ['properties'],
  queryFn: async ({ signal }) => (await api.listProperties({ limit: 1000 }, { signal })).items,
});

/** The properties at a glance: when each was last read, and what needs attention. */
export const dashboardQuery = queryOptions({
  queryKey: ['dashboard'],
  queryFn: ({ signal }) => api.getDashboard({}, { signal }),
});

export const propertyQuery = (property_id: number) =>
  queryOptions({
    queryKey: ['property', property_id],
    queryFn: ({ signal }) => api.getProperty({ property_id }, { signal }),
  });

/** The active meters of a property, the main meter first. */
export const metersQuery = (property_id: number) =>
  queryOptions({
    queryKey: ['property', property_id, 'meters'],
    queryFn: async ({ signal }) => (await api.listMeters({ property_id, limit: 1000 }, { signal })).items,
  });

/** The newest reading of a meter; null where nobody has read it. */
export const lastReadingQuery = (property_id: number, meter_id: number) =>
  queryOptions({
    queryKey: ['property', property_id, 'meter', meter_id, 'last'],
    queryFn: async ({ signal }) =>
      (await api.getHistory({ meter_id, limit: 1 }, { signal })).items[0] ?? null,
  });

/** What a person should look at in a property, the most important first. */
export const attentionQuery = (property_id: number) =>
  queryOptions({
    queryKey: ['property', property_id, 'attention'],
    queryFn: async ({ signal }) => (await api.listAttention({ property_id, limit: 1000 }, { signal })).items,
  });

/** Readings were recorded or changed: whatever is made of them is asked for anew. */
export async function readingsChanged(): Promise<void> {
  await queries.invalidateQueries();
}

const LAST_PROPERTY = 'electric.property';

export function rememberProperty(property_id: number): void {
  localStorage.setItem(LAST_PROPERTY, String(property_id));
}

/** The property that the tabs are about: the one looked at last, if it is still there, else the first; null: none. */
export async function currentProperty(): Promise<number | null> {
  const properties = await queries.fetchQuery(propertiesQuery).catch((error: unknown) => {
    // Without an answer what was known before serves.
    const known = queries.getQueryData(propertiesQuery.queryKey);
    if (known) return known;
    throw error;
  });
  const last = Number(localStorage.getItem(LAST_PROPERTY));
  return (properties.find(({ id }) => id === last) ?? properties[0])?.id ?? null;
}
