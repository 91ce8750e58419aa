/** Sends the web app: its page for every address that a person may open, and the files that belong to it. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

/** What the page may do: use what this server sends, and nothing else. */
const PAGE_HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'permissions-policy': 'camera=(self), geolocation=(), microphone=(), payment=(), usb=()',
  'cross-origin-opener-policy': 'same-origin',
};

/** Each encoding that a file may have been compressed with, the smallest first. */
const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

interface Asset {
  type: string;
  etag: string;
  cache: string;
  /** By content encoding. */
  bytes: Map<string, Buffer>;
}

/** Beside the bundled server, or where a checkout builds it. */
function builtApp(): string {
  const beside = fileURLToPath(new URL('./web/', import.meta.url));
  return existsSync(beside) ? beside : fileURLToPath(new URL('../../../dist/web/', import.meta.url));
}

/** @returns path below the origin → file; empty where no web app was built */
export function loadApp(folder: string): Map<string, Asset> {
  if (!existsSync(join(folder, 'index.html'))) return new Map();
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => statSync(join(folder, name)).isFile() && !/\.(br|gz)$/.test(name),
  );
  const assets = names.map((name): [string, Asset] => {
    const identity = readFileSync(join(folder, name));
    const encoded = ENCODINGS.filter(([, ending]) => existsSync(join(folder, name + ending))).map(
      ([encoding, ending]): [string, Buffer] => [encoding, readFileSync(join(folder, name + ending))],
    );
    const hashed = name.startsWith('assets/');
    const asset = {
      type: TYPES[extname(name)] ?? 'application/octet-stream',
      etag: createHash('sha256').update(identity).digest('base64url').slice(0, 22),
      // The name of a file in assets/ changes with its content; everything else is asked for anew.
      cache: hashed ? 'public, max-age=31536000, immutable' : 'no-cache',
      bytes: new Map([...encoded, ['identity', identity]]),
    };
    return [`/${name.replaceAll('\\', '/')}`, asset];
  });
  return new Map(assets);
}

/** The first encoding that the file has and the browser takes. */
function encodingFor(asset: Asset, accepted: string): string {
  const taken = accepted
    .split(',')
    .map((part) => part.trim().split(';'))
    .filter(([, quality]) => !/^\s*q=0(\.0*)?\s*$/.test(quality ?? ''))
    .map(([name]) => name!.trim().toLowerCase());
  return [...asset.bytes.keys()].find((encoding) => taken.includes(encoding)) ?? 'identity';
}

function send(request: FastifyRequest, reply: FastifyReply, asset: Asset): FastifyReply {
  const encoding = encodingFor(asset, String(request.headers['accept-encoding'] ?? ''));
  // A validator of its own for each encoding, so that no cache mixes them up.
  const etag = `"${asset.etag}-${encoding}"`;
  reply
    .headers(PAGE_HEADERS)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .header('cache-control', asset.cache)
    .header('vary', 'accept-encoding')
    .header('etag', etag);
  const known = (request.headers['if-none-match'] ?? '')
    .split(',')
    .map((tag) => tag.trim().replace('W/', ''));
  if (known.includes(etag)) return reply.code(304).send();
  if (encoding !== 'identity') reply.header('content-encoding', encoding);
  return reply.type(asset.type).send(asset.bytes.get(encoding));
}

const NOT_BUILT = `The server runs, but the web app has not been built: npm run build.
The API's reference is at /docs.
`;

/** Addresses that are never a page of the app, whether they exist or not. */
const NOT_A_PAGE = /^\/(api|docs|assets)(\/|$)|\.\w+$/;

/**
 * A route for each file of the app.
 * @param folder where the built app is
 * @returns answers with the app's page where no other route does; false where a page is not what is asked for
 */
export function spa(
  app: FastifyInstance,
  folder = builtApp(),
): (request: FastifyRequest, reply: FastifyReply) => boolean {
  const assets = loadApp(folder);
  const page = assets.get('/index.html');
  for (const [path, asset] of assets) {
    app.get(path, async (request, reply) => send(request, reply, asset));
  }
  app.get('/', async (request, reply) =>
    page ? send(request, reply, page) : reply.type('text/plain').send(NOT_BUILT),
  );
  return (request, reply) => {
    const path = request.url.split('?')[0]!;
    const wants_page =
      /^(GET|HEAD)$/.test(request.method) &&
      !NOT_A_PAGE.test(path) &&
      /\btext\/html\b/.test(String(request.headers.accept ?? ''));
    if (!wants_page || !page) return false;
    send(request, reply, page);
    return true;
  };
}
