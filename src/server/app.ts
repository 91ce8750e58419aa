/** The server: its table of contents, in the order in which a request meets it. */
import type { Socket } from 'node:net';
import { type FastifyInstance, fastify, LogController } from 'fastify';
import { archiveRoutes } from './archive/routes.ts';
import { attentionRoutes } from './attention/routes.ts';
import { authRoutes } from './auth/routes.ts';
import { consumptionRoutes } from './consumption/routes.ts';
import type { Deps } from './deps.ts';
import { deviceRoutes } from './devices/routes.ts';
import { exportRoutes } from './exports/routes.ts';
import { makeBind } from './http/bind.ts';
import { docs } from './http/docs.ts';
import { jsonBody } from './http/json-body.ts';
import { trustedProxies } from './http/network.ts';
import { operations } from './http/operations.ts';
import { badRequest, problems, unreadable } from './http/problems.ts';
import { type Limiter, rateLimiter } from './http/rate-limit.ts';
import { requests, SANE_REQUEST_ID } from './http/requests.ts';
import { buildSerializer } from './http/serialization.ts';
import { spa } from './http/spa.ts';
import { validation } from './http/validation.ts';
import { importRoutes } from './imports/routes.ts';
import { inputRoutes } from './inputs/routes.ts';
import { keyRoutes } from './keys/routes.ts';
import { ledgerRoutes } from './ledger/routes.ts';
import { meterRoutes } from './meters/routes.ts';
import { mqttRoutes } from './mqtt/routes.ts';
import { peopleRoutes } from './people/routes.ts';
import { photoRoutes } from './photos/routes.ts';
import { propertyRoutes } from './properties/routes.ts';
import { readingRoutes } from './readings/routes.ts';
import { userRoutes } from './users/routes.ts';

const MAX_JSON_BYTES = 1024 * 1024;

/** @param describe gets the app before any route is there, to write down what the routes say of themselves */
export function buildApp(deps: Deps, describe?: (app: FastifyInstance) => void): FastifyInstance {
  const limit = rateLimiter(deps);
  const app: FastifyInstance = fastify({
    loggerInstance: deps.log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_JSON_BYTES,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
    trustProxy: trustedProxies(deps.config.TRUST_PROXY),
    schemaController: { compilersFactory: { buildSerializer } },
    frameworkErrors: (error, request, reply) => badRequest(limit, error, request as never, reply as never),
    clientErrorHandler: (error, socket) => unreadable(error, socket as Socket, deps.ids.uuid()),
    requestIdHeader: false,
    genReqId: ({ headers }) => {
      const sent = headers['x-request-id'];
      return typeof sent === 'string' && SANE_REQUEST_ID.test(sent) ? sent : deps.ids.uuid();
    },
  }) as never;

  requests(app, limit);
  problems(app, spa(app));
  jsonBody(app);
  describe?.(app);
  app.register(async (inner) => slices(inner, deps, limit));
  return app;
}

function slices(app: FastifyInstance, deps: Deps, limit: Limiter): void {
  validation(app, deps.clock);
  const routes = { app, bind: makeBind(app, deps, limit) };
  authRoutes(routes);
  propertyRoutes(routes);
  meterRoutes(routes);
  peopleRoutes(routes);
  deviceRoutes(routes);
  readingRoutes(routes);
  photoRoutes(routes);
  ledgerRoutes(routes);
  consumptionRoutes(routes);
  attentionRoutes(routes);
  importRoutes(routes);
  exportRoutes(routes);
  archiveRoutes(routes);
  inputRoutes(routes);
  mqttRoutes(routes);
  keyRoutes(routes);
  userRoutes(routes);
  operations(routes);
  docs(app);
}
