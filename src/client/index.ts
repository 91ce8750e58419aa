/** A typed fetch over the contracts: one method per contract, named as it is. */
import { contracts } from '../contract/index.ts';
import { type Client, type ClientOptions, clientOver } from './calls.ts';
import { callsOf } from './describe.ts';

export { ApiError, type Client, type ClientOptions, toRequest, type Upload } from './calls.ts';

const CALLS = callsOf(contracts);

/** @throws ApiError where the server answers with a problem; whatever fetch throws where it does not answer */
export function createClient(options: ClientOptions): Client {
  return clientOver(CALLS, options);
}
