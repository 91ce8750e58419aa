import { contracts } from '../../contract/index.ts';
import { answer, type Routes } from '../http/bind.ts';
import * as actions from './actions.ts';

export function propertyRoutes({ bind, deps }: Routes): void {
  bind(contracts.createProperty, async ({ user_id, body }) =>
    answer(201, await actions.createProperty(deps, user_id, body)),
  );
  bind(contracts.listProperties, async ({ user_id, query }) =>
    answer(200, await actions.listProperties(deps, user_id, query)),
  );
  bind(contracts.getProperty, async ({ user_id, params }) =>
    answer(200, await actions.getProperty(deps, user_id, params.property_id)),
  );
  bind(contracts.updateProperty, async ({ user_id, params, body }) =>
    answer(200, await actions.updateProperty(deps, user_id, params.property_id, body)),
  );
}
