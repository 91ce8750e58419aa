/** Signing in, and calling the server as somebody. */
import { type Client, createClient } from '../client/index.ts';
import { Failure } from './failure.ts';
import type { AccountOptions } from './options.ts';
import { type Server, withServer } from './server.ts';
import { askSecretly } from './terminal.ts';

/** A client that says in a sentence why a server cannot be talked to. */
export function clientFor({ origin }: Server, token: string | null = null): Client {
  async function send(request: string | URL | Request): Promise<Response> {
    const response = await fetch(request).catch((error: Error) => {
      const { code, message } = (error.cause ?? error) as NodeJS.ErrnoException;
      throw new Failure(`The server at ${origin} does not answer (${code ?? message}).`);
    });
    const { status, headers } = response;
    const is_electric =
      status === 204 ||
      /json|event-stream/.test(headers.get('content-type') ?? '') ||
      headers.has('content-disposition');
    if (!is_electric) throw new Failure(`What answers at ${origin} is not an Electric server.`);
    return response;
  }
  return createClient({ origin, token: () => token, fetch: send });
}

/** Signs in, works, signs out. */
export async function withSession<T>(
  server: Server,
  username: string,
  password: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const { access_token } = await clientFor(server).login({ body: { username, password } });
  const client = clientFor(server, access_token);
  try {
    return await work(client);
  } finally {
    // If this fails, the session ends by itself some weeks later.
    await client.logout({ body: {} }).catch(() => {});
  }
}

/** Finds the server, signs in as the options say, works, signs out. */
export async function withAccount<T>(
  options: AccountOptions,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const password = options.password ?? (await askSecretly(`Password of ${options.username}`));
  return withServer(options, (server) => withSession(server, options.username, password, work));
}
