import { contracts } from '../../contract/index.ts';
import { answer, type Routes } from '../http/bind.ts';
import * as actions from './actions.ts';

export function attentionRoutes({ bind }: Routes): void {
  bind(contracts.listAttention, async ({ deps, caller, params, query }) =>
    answer(200, await actions.listAttention(deps, caller, params.property_id, query)),
  );
}
