/** The headers that calls have in common, as the OpenAPI document describes them. */
import { contracts } from '../src/contract/index.ts';
import type { Contract } from '../src/contract/schema.ts';
import { limitOf } from '../src/server/http/rate-limit.ts';

export interface Operation {
  parameters?: object[];
  requestBody?: object;
  responses: Record<string, { description: string; headers?: object; content?: object }>;
}

const text = (more: object = {}) => ({ type: 'string', ...more });

const PARAMETERS = {
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'Makes it safe to repeat the request: for 24 hours a repeat gets the first answer, and nothing happens twice',
    schema: text({ minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' }),
    example: '3d1c9a5e-3f0b-4c7e-9a55-6f1f8f0f7c11',
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    description: 'ETags of the versions that the change is meant for, or *; for any other version it is 412',
    schema: text(),
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: 'ETags of the versions that the client has; if one of them is current, the answer is 304',
    schema: text(),
  },
};

const HEADERS = {
  ETag: { description: 'The version of the resource', schema: text() },
  'Idempotency-Replayed': {
    description: 'The answer is that of an earlier request with this Idempotency-Key',
    schema: text({ enum: ['true'] }),
  },
  'RateLimit-Policy': {
    description: 'Name of the limit, requests (q) in a window of seconds (w)',
    schema: text(),
    example: '"write";q=600;w=60',
  },
  RateLimit: {
    description: 'Name of the limit, requests left (r), seconds until the window ends (t)',
    schema: text(),
    example: '"write";r=599;t=42',
  },
  'Retry-After': { description: 'Seconds', schema: { type: 'integer' } },
};

export const headerComponents = { parameters: PARAMETERS, headers: HEADERS };

function headers(...names: (keyof typeof HEADERS)[]) {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

const urls = Object.values(contracts as Record<string, Contract>)
  .filter(({ method, etag }) => method === 'GET' && etag)
  .map(({ url }) => url);

/** Adds the headers that a call takes, and those of its answers. */
export function describeHeaders(contract: Contract, operation: Operation): void {
  const { method, url, etag, public: open } = contract;
  const taken: (keyof typeof PARAMETERS)[] = [];
  if (method === 'POST' && !open) taken.push('IdempotencyKey');
  if ((method === 'PATCH' || method === 'DELETE') && urls.includes(url)) taken.push('IfMatch');
  if (method === 'GET' && etag) taken.push('IfNoneMatch');
  if (taken.length > 0) {
    const more = taken.map((name) => ({ $ref: `#/components/parameters/${name}` }));
    operation.parameters = [...(operation.parameters ?? []), ...more];
  }
  const counted = limitOf(contract) === null ? {} : headers('RateLimit-Policy', 'RateLimit');
  for (const [status, response] of Object.entries(operation.responses)) {
    const said = {
      ...(status < '300' && etag ? headers('ETag') : {}),
      ...(status < '300' && taken.includes('IdempotencyKey') ? headers('Idempotency-Replayed') : {}),
      ...(status < '300' || status === '429' ? counted : {}),
      ...(status === '429' ? headers('Retry-After') : {}),
    };
    if (Object.keys(said).length > 0) response.headers = said;
  }
  if (taken.includes('IfNoneMatch')) {
    operation.responses['304'] = {
      description: 'The client has the current version',
      headers: headers('ETag'),
    };
  }
}
