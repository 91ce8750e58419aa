import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';

/**
 * Hands out a request's body. A refused upload is left half read: ending it must not end the connection, and what is
 * left is read away, or the connection's next request would never be seen.
 * @param body where it is to be read from: its Idempotency-Key may have somebody read along
 */
export async function withUpload<T>(
  request: IncomingMessage,
  body: Readable,
  use: (upload: PassThrough) => Promise<T>,
): Promise<T> {
  const upload = new PassThrough();
  request.once('close', () => {
    if (!request.complete) upload.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
  });
  body.pipe(upload);
  try {
    return await use(upload);
  } finally {
    body.unpipe(upload);
    upload.destroy();
    body.resume();
  }
}
