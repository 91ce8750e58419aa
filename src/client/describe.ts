/** What a client must know of each contract to call it: all that the browser needs, without the schemas. */
import type { Contracts } from '../contract/index.ts';
import type { Contract } from '../contract/schema.ts';

/** How a call is made. */
export interface Call {
  method: Contract['method'];
  /** Below the origin, parameters as `:name`. */
  url: string;
  /** Names of the query's fields. */
  query: readonly string[];
  /** Whether the body is sent as it is instead of as JSON. */
  streams: boolean;
}
export type Calls = Readonly<Record<keyof Contracts, Call>>;

export function callOf({ method, url, query, streams }: Contract): Call {
  return { method, url, query: Object.keys(query?.properties ?? {}), streams: streams !== undefined };
}

export function callsOf(contracts: Contracts): Calls {
  const calls = Object.entries(contracts).map(([name, contract]) => [name, callOf(contract)]);
  return Object.fromEntries(calls);
}
