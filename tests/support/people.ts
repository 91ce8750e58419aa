/** People of a house: who joins it, and everything that they can ask. */
import { contracts } from '../../src/contract/index.ts';
import type { Contract, Role } from '../../src/contract/schema.ts';
import type { House } from './house.ts';
import type { Person, TestServer } from './server.ts';

/** Lets somebody join by an invitation of the owner. @param meter_ids for tenants */
export async function join(
  { owner, property_id }: Pick<House, 'owner' | 'property_id'>,
  person: Person,
  role: Role,
  meter_ids?: number[],
): Promise<void> {
  const body = { role, ...(meter_ids ? { meter_ids } : {}) };
  const { token } = await owner.client.createInvitation({ property_id, body });
  await person.client.acceptInvitation({ token });
}

/** What to ask about: the values to fill into the parameters of a path, and into queries. */
export interface Questions {
  params: Record<string, readonly number[]>;
  query: Record<string, readonly string[]>;
}

function combinations(named: [string, readonly (string | number)[]][]): Record<string, string>[] {
  return named.reduce<Record<string, string>[]>(
    (found, [name, values]) =>
      found.flatMap((each) => values.map((value) => ({ ...each, [name]: String(value) }))),
    [{}],
  );
}

/** One call of a GET route, and what its path is about. */
export interface Get {
  name: string;
  path: string;
  about: Record<string, number>;
}

/** Every GET route that needs credentials, with all that can be asked. A parameter nobody knows of is an error here. */
export function everyGet({ params, query }: Questions): Get[] {
  const gets = (Object.values(contracts) as Contract[]).filter(
    (contract) => contract.method === 'GET' && !contract.public,
  );
  return gets.flatMap((contract) => {
    const known = (name: string, values: Record<string, readonly (string | number)[]>) => {
      if (values[name]) return [name, values[name]] as [string, readonly (string | number)[]];
      throw new Error(`${contract.name} takes ${name}: say what to ask about`);
    };
    const paths = combinations(
      [...contract.url.matchAll(/:(\w+)/g)].map((match) => known(match[1]!, params)),
    );
    const required = (contract.query as { required?: string[] } | undefined)?.required ?? [];
    const optional = Object.keys(contract.query?.properties ?? {}).filter((name) => query[name]);
    const names = [...new Set([...required, ...optional])];
    const queries = combinations(names.map((name) => known(name, query)));
    return paths.flatMap((values) =>
      queries.map((search) => ({
        name: contract.name,
        about: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value)])),
        path: `${contract.url.replace(/:(\w+)/g, (_, name: string) => values[name]!)}?${new URLSearchParams(search)}`,
      })),
    );
  });
}

/** The raw answers to one person, by path; without what differs from request to request. */
export async function answersTo(
  server: TestServer,
  { token }: Person,
  gets: readonly { path: string }[],
): Promise<Map<string, { status: number; text: string }>> {
  const answers = new Map<string, { status: number; text: string }>();
  for (const { path } of gets) {
    const response = await fetch(server.origin + path, { headers: { authorization: `Bearer ${token}` } });
    const text = (await response.text()).replace(/,"request_id":"[^"]*"/, '');
    answers.set(path, { status: response.status, text });
  }
  return answers;
}
