import { contracts } from '../../contract/index.ts';
import { answer, type Routes } from '../http/bind.ts';
import * as actions from './actions.ts';

export function authRoutes({ bind, deps }: Routes): void {
  bind(contracts.register, async ({ body }) => answer(201, await actions.register(deps, body)));
  bind(contracts.login, async ({ body }) => answer(200, await actions.login(deps, body)));
  bind(contracts.refresh, async ({ body }) => answer(200, await actions.refresh(deps, body.refresh_token)));
  bind(contracts.logout, async ({ caller, body }) => {
    await actions.logout(deps, caller, body.refresh_token);
    return answer(204, null);
  });
  bind(contracts.getMe, async ({ caller }) => answer(200, await actions.me(deps, caller)));
}
