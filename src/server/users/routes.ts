import { contracts } from '../../contract/index.ts';
import { answer, type Routes } from '../http/bind.ts';
import * as actions from './actions.ts';
import { getDashboard } from './dashboard.ts';

export function userRoutes({ bind }: Routes): void {
  bind(contracts.getMe, async ({ deps, caller }) => answer(200, await actions.getMe(deps, caller)));
  bind(contracts.updateMe, async ({ deps, caller, body }) =>
    answer(200, await actions.updateMe(deps, caller, body)),
  );
  bind(contracts.deleteMe, async ({ deps, caller, body, reply }) => {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    await actions.deleteMe(deps, caller, body.password, gone.signal);
    return answer(204, null);
  });
  bind(contracts.listMyProperties, async ({ deps, caller, query }) =>
    answer(200, await actions.listMyProperties(deps, caller, query)),
  );
  bind(contracts.getDashboard, async ({ deps, caller }) => answer(200, await getDashboard(deps, caller)));
}
