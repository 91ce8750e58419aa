/** The OpenAPI 3.1 document of the contracts, as @fastify/swagger reads it off the real server. */
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { contracts } from '../src/contract/index.ts';
import type { Contract } from '../src/contract/schema.ts';
import { buildApp } from '../src/server/app.ts';
import { loadConfig } from '../src/server/config.ts';
import type { Database } from '../src/server/db/connect.ts';
import { makeDeps } from '../src/server/deps.ts';

const DESCRIPTION = `The ledger of a property's electricity meters.

Energy and register values are decimal strings in kWh, exact to the Wh. Instants are RFC 3339; answers give them in UTC.
Errors are problem+json (RFC 9457) with a stable \`code\`; with 422, \`errors\` has one entry for every wrong field.
Every list is \`{items, total, limit, offset}\`. Every answer carries its \`X-Request-ID\`.`;

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
          securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
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
  for (const { method, url, streams } of Object.values(contracts) as Contract[]) {
    if (!streams) continue;
    const operation = document.paths![url]![method.toLowerCase() as 'post']! as { requestBody?: object };
    const content = Object.fromEntries(streams.map((type) => [type, { schema: { type: 'string' } }]));
    operation.requestBody = { required: true, content };
  }
  return `${JSON.stringify(document, null, 2)}\n`;
}
