import { request } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { fastify } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { spa } from '../../src/server/http/spa.ts';
import { type Electric, startElectric } from './electric.ts';

let electric: Electric;
beforeAll(async () => {
  electric = await startElectric();
});
afterAll(() => electric.stop());

interface Answer {
  status: number;
  headers: Record<string, string>;
  bytes: Buffer;
}

/** As it comes over the wire: fetch would undo the compression. */
function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(electric.origin + path, { method, headers }, async (response) => {
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part);
      resolve({
        status: response.statusCode!,
        headers: response.headers as Record<string, string>,
        bytes: Buffer.concat(parts),
      });
    });
    sent.once('error', reject).end();
  });
}

const HTML = { accept: 'text/html,application/xhtml+xml' };
const page = () => get('/', HTML);
const script = async () => /src="(\/assets\/[^"]+\.js)"/.exec(String((await page()).bytes))![1]!;

describe('the page', () => {
  test.each(['/', '/properties/7/meters', '/reset-password', '/sign-in?to=%2Fmore'])(
    'at %s',
    async (path) => {
      const { status, headers, bytes } = await get(path, HTML);
      expect(status).toBe(200);
      expect(headers['content-type']).toBe('text/html; charset=utf-8');
      expect(headers['cache-control']).toBe('no-cache');
      expect(String(bytes)).toContain('<div id="app">');
    },
  );

  test('allows nothing from elsewhere, no inline script, and the camera for itself alone', async () => {
    const { headers, bytes } = await page();
    const policy = headers['content-security-policy']!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(headers['permissions-policy']).toContain('camera=(self)');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('no-referrer');
    expect(String(bytes)).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son\w+=/);
  });

  test('is not sent again to who has it', async () => {
    const { headers } = await page();
    const again = await get('/more', { ...HTML, 'if-none-match': headers.etag! });
    expect([again.status, again.bytes.length]).toEqual([304, 0]);
  });
});

describe('files', () => {
  test('with a hashed name are kept for good', async () => {
    const { status, headers } = await get(await script());
    expect(status).toBe(200);
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(headers['content-type']).toBe('text/javascript; charset=utf-8');
  });

  test('others are asked for anew', async () => {
    const { headers } = await get('/icon.svg');
    expect([headers['content-type'], headers['cache-control']]).toEqual(['image/svg+xml', 'no-cache']);
  });

  test('come compressed as the browser likes it', async () => {
    const path = await script();
    const plain = await get(path);
    expect(plain.headers['content-encoding']).toBeUndefined();
    const zipped = await get(path, { 'accept-encoding': 'gzip, deflate' });
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(zipped.bytes).equals(plain.bytes)).toBe(true);
    const brotli = await get(path, { 'accept-encoding': 'gzip, deflate, br' });
    expect(brotli.headers['content-encoding']).toBe('br');
    expect(brotliDecompressSync(brotli.bytes).equals(plain.bytes)).toBe(true);
    expect(new Set([plain, zipped, brotli].map(({ headers }) => headers.etag)).size).toBe(3);
    expect(brotli.headers.vary).toBe('accept-encoding');
    const refused = await get(path, { 'accept-encoding': 'gzip, br;q=0' });
    expect(refused.headers['content-encoding']).toBe('gzip');
  });
});

describe('what is not there', () => {
  test.each([
    '/assets/index-00000000.js',
    '/assets',
    '/missing.png',
    '/api',
    '/api/nothing',
    '/docs/nothing',
    '/../package.json',
    '/%2e%2e/package.json',
    '/assets/..%2f..%2fpackage.json',
  ])('%s is a 404 and never the page', async (path) => {
    const { status, headers } = await get(path, HTML);
    expect([status, headers['content-type']]).toEqual([404, 'application/problem+json']);
  });

  test('is none to a program that wants no page', async () => {
    expect((await get('/nowhere', { accept: 'application/json' })).status).toBe(404);
  });

  test('the API and its reference stay what they are', async () => {
    expect((await get('/api/health', HTML)).headers['content-type']).toContain('application/json');
    expect(String((await get('/docs', HTML)).bytes)).toContain('swagger');
    const { status, headers } = await get('/api/auth/login', HTML);
    expect([status, headers.allow]).toEqual([405, 'POST']);
    expect((await get('/more', HTML, 'POST')).status).toBe(404);
  });
});

test('without a built app the server says so', async () => {
  const app = fastify();
  const page = spa(app, '/nowhere');
  app.setNotFoundHandler((request, reply) => {
    if (!page(request, reply)) reply.code(404).send();
  });
  const { statusCode, body } = await app.inject({ url: '/', headers: HTML });
  expect([statusCode, body]).toEqual([200, expect.stringContaining('npm run build')]);
  expect((await app.inject({ url: '/more', headers: HTML })).statusCode).toBe(404);
});
