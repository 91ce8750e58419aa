/** Photos in storage that speaks S3 (Amazon, Tigris, MinIO, Garage …). */
import type { Photos } from './photos.ts';

const TIMEOUT_MS = 30_000;

/** @param url `s3://key:secret@host/bucket?region=…`, s3+http: without TLS */
export function s3Photos(url: string): Photos {
  const { username, password, host, pathname, searchParams, protocol } = new URL(url);
  const origin = `${protocol === 's3+http:' ? 'http' : 'https'}://${host}`;
  const client = async () => {
    // Loaded with the first photo.
    const { AwsClient } = await import('aws4fetch');
    return new AwsClient({
      accessKeyId: decodeURIComponent(username),
      secretAccessKey: decodeURIComponent(password),
      service: 's3',
      region: searchParams.get('region') ?? 'auto',
    });
  };
  const addressOf = (sha256: string) => `${origin}${pathname}/${sha256}.jpg`;
  const signal = () => AbortSignal.timeout(TIMEOUT_MS);
  return {
    async put(sha256, bytes) {
      const headers = { 'content-type': 'image/jpeg' };
      const aws = await client();
      const body = bytes as Uint8Array<ArrayBuffer>;
      const response = await aws.fetch(addressOf(sha256), { method: 'PUT', body, headers, signal: signal() });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`the photo storage answered ${response.status} to PUT`);
    },
    async get(sha256) {
      const response = await (await client()).fetch(addressOf(sha256), { signal: signal() });
      const bytes = new Uint8Array(await response.arrayBuffer());
      if (response.status === 404) return null;
      if (!response.ok) throw new Error(`the photo storage answered ${response.status} to GET`);
      return bytes;
    },
  };
}
