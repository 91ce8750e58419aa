/** Every request has an id, which its answer, its log line and its errors carry, and is counted. */
import type { FastifyInstance } from 'fastify';
import type { Limiter } from './rate-limit.ts';

/** What we take over from a client: short, and harmless in a header and in a log. */
export const SANE_REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

export function requests(app: FastifyInstance, limit: Limiter): void {
  app.decorateRequest('caller', null);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    // Calls of the API are counted once it is known who asks (bind).
    if (!request.routeOptions.schema?.operationId) await limit(request, reply, undefined);
  });
  app.addHook('onResponse', async (request, reply) => {
    request.log.info(
      {
        method: request.method,
        route: request.routeOptions.url ?? null,
        status: reply.statusCode,
        duration_ms: Math.round(reply.elapsedTime * 10) / 10,
        user_id: request.caller?.user_id ?? null,
      },
      'request',
    );
  });
}
