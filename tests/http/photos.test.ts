/** A photo of a register is evidence: the ledger names its hash, and only those bytes are kept for it. */
import { createHash, createHmac, hash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { s3Photos } from '../../src/server/photos/s3.ts';
import { ENGINES } from '../support/engines.ts';
import { type House, newHouse } from '../support/house.ts';
import { join } from '../support/people.ts';
import { expectProblem } from '../support/problem.ts';
import { type Person, startServer, type TestServer } from '../support/server.ts';
import { offline, standalone } from '../support/verifier.ts';

const PHOTO = readFileSync(new URL('../files/photos/register.jpg', import.meta.url));
const sha256 = hash('sha256', PHOTO, 'hex');
const EXIF = Buffer.concat([
  PHOTO.subarray(0, 2),
  Buffer.from('ffe1000a457869660000', 'hex'),
  Buffer.from('GP'),
  PHOTO.subarray(2),
]);
const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}T00:00:00Z`;

describe.each(ENGINES)('photos on %s', (engine) => {
  let server: TestServer;
  let folder: string;
  let house: House;
  beforeAll(async () => {
    folder = mkdtempSync(joinPath(tmpdir(), 'electric-photos-'));
    server = await startServer(engine, {}, { PHOTOS_URL: `file:${folder}` });
    house = await newHouse(server);
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  const bring = (reading_id: number, body: Uint8Array, { token } = house.owner as Person) =>
    server.call('POST', `/api/readings/${reading_id}/photo`, {
      token,
      body,
      headers: { 'content-type': 'image/jpeg' },
    });
  async function see(reading_id: number, { token } = house.owner as Person) {
    const response = await fetch(`${server.origin}/api/readings/${reading_id}/photo`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return {
      status: response.status,
      headers: response.headers,
      bytes: Buffer.from(await response.arrayBuffer()),
    };
  }
  let days = 0;
  const pictured = async (photo_sha256 = sha256, of = house) => {
    days += 1;
    return of.given(of.main_id, day(days), String(days), { photo_sha256 });
  };

  test('named with the reading, brought after it, seen by who sees the reading; it is in the chain', async () => {
    const id = await pictured();
    expect((await house.get(`/api/readings/${id}`)).body.photo_sha256).toBe(sha256);
    // It may be in a cellar still.
    expect((await see(id)).status).toBe(404);
    const brought = await bring(id, PHOTO);
    expect([brought.status, brought.body]).toEqual([
      201,
      { reading_id: id, photo_sha256: sha256, bytes: PHOTO.length },
    ]);
    expect((await bring(id, PHOTO)).status).toBe(200);
    const { status, headers, bytes } = await see(id);
    expect([status, headers.get('content-type'), headers.get('cache-control')]).toEqual([
      200,
      'image/jpeg',
      'private, max-age=3600',
    ]);
    expect(bytes).toEqual(PHOTO);
    // Whole under its name, and nothing beside it.
    expect(readdirSync(folder, { recursive: true })).toEqual([
      sha256.slice(0, 2),
      joinPath(sha256.slice(0, 2), `${sha256}.jpg`),
    ]);
    const ledger = (await house.get(`/api/properties/${house.property_id}/ledger/export`)).body;
    expect(ledger).toMatch(new RegExp(`\\["electric-entry-2",.*,"${sha256}"\\]`));
    for (const verify of [standalone, offline]) expect((await verify(ledger)).code).toBe(0);
    const other = ledger.replace(sha256, hash('sha256', EXIF, 'hex'));
    for (const verify of [standalone, offline]) expect((await verify(other)).code).toBe(1);
  });

  test('a correction keeps the photo, names another one, or none; the trail tells', async () => {
    const id = await pictured();
    await bring(id, PHOTO);
    const value = (await house.patch(`/api/readings/${id}`, { value: '0.5', reason: 'misread' })).body;
    expect(value.photo_sha256).toBe(sha256);
    expect((await see(value.id)).bytes).toEqual(PHOTO);
    const none = (await house.patch(`/api/readings/${value.id}`, { photo_sha256: null, reason: 'blurred' }))
      .body;
    expect(none).toMatchObject({ photo_sha256: null, value: '0.5' });
    expect((await see(none.id)).status).toBe(404);
    const { items } = (await house.get(`/api/readings/${none.id}/revisions`)).body;
    expect(items.map((each: { photo_sha256: string }) => each.photo_sha256)).toEqual([sha256, sha256, null]);
    // What was superseded is evidence too.
    expect((await see(id)).bytes).toEqual(PHOTO);
  });

  test('other bytes, more than a picture, and too many are refused; nothing is kept', async () => {
    const kept = readdirSync(folder, { recursive: true });
    const id = await pictured(hash('sha256', EXIF, 'hex'));
    const wrong = await bring(id, PHOTO);
    expect(wrong.status).toBe(422);
    expect(wrong.body.errors[0].message).toContain('is not the photo of this reading');
    const located = await bring(id, EXIF);
    expect(located.status).toBe(422);
    expect(located.body.errors[0].message).toContain('where or with what it was taken');
    expectProblem(await bring(id, Buffer.alloc(3_000_000)), 'body_too_large');
    expectProblem(await bring(await house.given(house.main_id, day(28), '99'), PHOTO), 'not_found');
    expect(readdirSync(folder, { recursive: true })).toEqual(kept);
    for (const photo_sha256 of ['', 'x'.repeat(64), sha256.toUpperCase(), 5])
      expect((await house.record(house.main_id, day(27), '98', { photo_sha256 })).status).toBe(422);
  });

  test('a tenant sees and brings those of their meter, nobody else any', async () => {
    const other = await newHouse(server);
    const flat = await other.submeter('flat');
    const tenant = await server.newPerson();
    await join(other, tenant, 'tenant', [flat]);
    const own = await other.given(flat, day(1), '1', { photo_sha256: sha256 });
    const main = await other.given(other.main_id, day(1), '1', { photo_sha256: sha256 });
    expect((await bring(own, PHOTO, tenant)).status).toBe(200);
    expect((await see(own, tenant)).bytes).toEqual(PHOTO);
    for (const [reading, who] of [
      [main, tenant],
      [own, house.owner],
    ] as const) {
      expect((await see(reading, who)).status).toBe(403);
      expectProblem(await bring(reading, PHOTO, who), 'forbidden');
    }
  });
});

/** Storage that speaks S3, as far as photos need it: it computes each signature itself (AWS Signature Version 4). */
describe('storage that speaks S3', () => {
  const [key, secret, region] = ['a key', 's3cret/+', 'eu-north-1'];
  const kept = new Map<string, Buffer>();
  let storage: Server;
  let url: string;

  const hmac = (secret_key: string | Buffer, text: string) =>
    createHmac('sha256', secret_key).update(text).digest();
  function signature(method: string, path: string, headers: Record<string, string>, body: Buffer): string {
    const [, scope, signed] = /Credential=a key\/([^,]+), SignedHeaders=([^,]+), /.exec(
      headers.authorization!,
    )!;
    const canonical = [
      ...[method, path, ''],
      ...signed!.split(';').map((name) => `${name}:${headers[name]}`),
      ...['', signed!, headers['x-amz-content-sha256'] ?? createHash('sha256').update(body).digest('hex')],
    ].join('\n');
    const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, hash('sha256', canonical, 'hex')].join(
      '\n',
    );
    const signing = scope!
      .split('/')
      .reduce<string | Buffer>((last, part) => hmac(last, part), `AWS4${secret}`);
    return hmac(signing, text).toString('hex');
  }

  beforeAll(async () => {
    storage = createServer(async (request, response) => {
      const body = await buffer(request);
      const headers = request.headers as Record<string, string>;
      const right = signature(request.method!, request.url!, headers, body);
      const path = request.url!;
      const answer = !headers.authorization?.endsWith(`Signature=${right}`)
        ? 403
        : request.method === 'PUT' || kept.has(path)
          ? 200
          : 404;
      if (answer === 200 && request.method === 'PUT') kept.set(path, body);
      response.writeHead(answer).end(request.method === 'GET' ? kept.get(path) : undefined);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => storage.once('listening', resolve));
    const { port } = storage.address() as AddressInfo;
    url = `s3+http://${encodeURIComponent(key)}:${encodeURIComponent(secret)}@127.0.0.1:${port}/electric/photos?region=${region}`;
  });
  afterAll(() => void storage.close());

  test('keeps and finds them; wrong keys and an absent storage are errors, not absent photos', async () => {
    const photos = s3Photos(url);
    expect(await photos.get(sha256)).toBeNull();
    await photos.put(sha256, PHOTO);
    expect([...kept.keys()]).toEqual([`/electric/photos/${sha256}.jpg`]);
    expect(Buffer.from((await photos.get(sha256))!)).toEqual(PHOTO);
    const stranger = s3Photos(url.replace('s3cret', 'guess'));
    await expect(stranger.put(sha256, PHOTO)).rejects.toThrow('403');
    await expect(stranger.get(sha256)).rejects.toThrow('403');
  });

  test('is chosen by PHOTOS_URL, and serves a server', async () => {
    const server = await startServer('sqlite', {}, { PHOTOS_URL: url });
    try {
      const house = await newHouse(server);
      const id = await house.given(house.main_id, day(1), '1', { photo_sha256: sha256 });
      const path = `/api/readings/${id}/photo`;
      const { token } = house.owner;
      const headers = { 'content-type': 'image/jpeg' };
      kept.clear();
      expect((await server.call('POST', path, { token, body: PHOTO, headers })).status).toBe(201);
      expect([...kept.values()]).toEqual([PHOTO]);
    } finally {
      await server.close();
    }
  });
});
