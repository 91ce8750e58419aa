import { contracts } from '../../contract/index.ts';
import { answer, type Routes } from '../http/bind.ts';
import * as actions from './actions.ts';

export function keyRoutes({ bind }: Routes): void {
  bind(contracts.createApiKey, async ({ deps, caller, body }) =>
    answer(201, await actions.createApiKey(deps, caller, body)),
  );
  bind(contracts.listApiKeys, async ({ deps, caller, query }) =>
    answer(200, await actions.listApiKeys(deps, caller, query)),
  );
  bind(contracts.deleteApiKey, async ({ deps, caller, params }) => {
    await actions.deleteApiKey(deps, caller, params.api_key_id);
    return answer(204, null);
  });
}
