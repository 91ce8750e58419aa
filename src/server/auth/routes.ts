import type { FastifyReply, FastifyRequest } from 'fastify';
import { contracts } from '../../contract/index.ts';
import { invalid } from '../errors.ts';
import { answer, type Routes } from '../http/bind.ts';
import * as actions from './actions.ts';
import { checkSameOrigin, clearCookie, fromCookie, intoCookie } from './cookie.ts';
import { forgotPassword, resetPassword } from './reset.ts';

function originOf(request: FastifyRequest, reply: FastifyReply): actions.Origin {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return { address: request.ip, user_agent: request.headers['user-agent'] ?? null, gone: gone.signal };
}

export function authRoutes({ bind }: Routes): void {
  bind(contracts.register, async ({ deps, body, request, reply }) =>
    answer(201, await actions.register(deps, body, originOf(request, reply).gone)),
  );
  bind(contracts.login, async ({ deps, body, request, reply }) => {
    if (body.use_cookie) checkSameOrigin(request, deps.config.PUBLIC_URL);
    const tokens = await actions.login(deps, body, originOf(request, reply));
    return answer(200, body.use_cookie ? intoCookie(reply, tokens) : tokens);
  });
  bind(contracts.refresh, async ({ deps, body, request, reply }) => {
    if (body.refresh_token) return answer(200, await actions.refresh(deps, body.refresh_token));
    const token = fromCookie(request, deps.config.PUBLIC_URL);
    if (token === null)
      throw invalid([{ path: 'refresh_token', message: 'is required: there is no cookie' }]);
    return answer(200, intoCookie(reply, await actions.refresh(deps, token)));
  });
  bind(contracts.logout, async ({ deps, caller, body, request, reply }) => {
    await actions.logout(deps, caller, body.refresh_token ?? fromCookie(request, deps.config.PUBLIC_URL));
    clearCookie(reply);
    return answer(204, null);
  });
  bind(contracts.listSessions, async ({ deps, caller, query }) =>
    answer(200, await actions.listSessions(deps, caller, query)),
  );
  bind(contracts.endSession, async ({ deps, caller, params }) => {
    await actions.endSession(deps, caller, params.session_id);
    return answer(204, null);
  });
  bind(contracts.changePassword, async ({ deps, caller, body, request, reply }) => {
    await actions.changePassword(deps, caller, body, originOf(request, reply).gone);
    return answer(204, null);
  });
  bind(contracts.forgotPassword, async ({ deps, body }) => {
    await forgotPassword(deps, body.username);
    return answer(202, {});
  });
  bind(contracts.resetPassword, async ({ deps, body }) => {
    await resetPassword(deps, body);
    return answer(202, {});
  });
}
