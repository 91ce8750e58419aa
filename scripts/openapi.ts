/** The OpenAPI 3.1 document of the contracts, as @fastify/swagger reads it off the real server. */
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { Type } from 'typebox';
import { contracts } from '../src/contract/index.ts';
import type { Contract } from '../src/contract/schema.ts';
import { buildApp } from '../src/server/app.ts';
import { loadConfig } from '../src/server/config.ts';
import type { Database } from '../src/server/db/connect.ts';
import { makeDeps } from '../src/server/deps.ts';
import { describeHeaders, headerComponents, type Operation } from './openapi-headers.ts';

const DESCRIPTION = `The ledger of a property's electricity meters.

Energy and register values are decimal strings in kWh, exact to the Wh. Instants are RFC 3339; answers give them in UTC.
Errors are problem+json (RFC 9457) with a stable \`code\`; with 422, \`errors\` has one entry for every wrong field.
Every list is \`{items, total, limit, offset}\`. Every answer carries its \`X-Request-ID\`.

A POST may be repeated with its \`Idempotency-Key\`, and then happens once; PATCH and DELETE hold to the version that
\`If-Match\` names; \`RateLimit-Policy\` and \`RateLimit\` say how many requests a client may send.`;

/** @returns the document as text, the same for the same contracts */
export async function openapiText(): Promise<string> {
  const nowhere = { read: null, write: null, close: null } as unknown as Database;
  const config = loadConfig({});
  const deps = makeDeps(config, 'only to describe the routes', nowhere, { log: pino({ level: 'silent' }) });
  const app = buildApp(deps, (bare: FastifyInstance) =>
    bare.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: { title: 'Electric', version: '1', description: DESCRIPTION },
        components: {
          securitySchemes: {
            bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
            api_key: {
              type: 'http',
              scheme: 'bearer',
              bearerFormat: 'electric_…',
              description: 'A key of `POST /api/users/me/api-keys`, with the scope that stands beside it',
            },
          },
        },
        security: [{ bearer: [] }],
      },
      hideUntagged: true,
      refResolver: { buildLocalReference: ({ $id }) => String($id) },
    }),
  );
  await app.ready();
  const document = app.swagger();
  await app.close();
  Object.assign((document as { components?: object }).components!, headerComponents);
  for (const contract of Object.values(contracts) as Contract[]) {
    const { method, url, body, streams } = contract;
    const path = url.replace(/:(\w+)/g, '{$1}');
    const operation = document.paths![path]![method.toLowerCase() as 'post']! as Operation;
    describeHeaders(contract, operation);
    if (Type.IsOptional(body)) operation.requestBody = { ...operation.requestBody, required: false };
    if (!streams) continue;
    const content = Object.fromEntries(streams.map((type) => [type, { schema: { type: 'string' } }]));
    operation.requestBody = { required: true, content };
  }
  return `${JSON.stringify(document, null, 2)}\n`;
}
