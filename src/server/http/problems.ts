/** Every error becomes problem+json here, and nowhere else. */
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { contracts } from '../../contract/index.ts';
import { PROBLEMS, type Problem, type ProblemCode } from '../../contract/problem.ts';
import { isUnavailable } from '../db/dialect.ts';
import { DomainError } from '../errors.ts';
import type { Limiter } from './rate-limit.ts';
import { ValidationFailed } from './validation.ts';

/** Fastify's and Node's own errors that are the client's doing. */
const CLIENT_ERRORS: Record<string, [ProblemCode, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['body_too_large', 'The body is larger than this call takes: 1 MiB of JSON.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['invalid_request', 'The body is not as long as Content-Length says.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'Send Content-Type: application/json.'],
  FST_ERR_MAX_PARAM_LENGTH: ['not_found', 'There is nothing at an address as long as this one.'],
  FST_ERR_BAD_URL: ['invalid_request', 'The address is not a valid URL.'],
  ECONNRESET: ['invalid_request', 'The connection ended before the request did.'],
};

function toDomainError(error: FastifyError | Error): DomainError {
  if (error instanceof DomainError) return error;
  if (error instanceof ValidationFailed) return error.toDomainError();
  const known = 'code' in error ? CLIENT_ERRORS[error.code] : undefined;
  if (known) return new DomainError(...known);
  if (isUnavailable(error)) {
    return new DomainError(
      'unavailable',
      'The database cannot be reached right now. Try again in a few seconds.',
      {
        retry_after: 5,
      },
    );
  }
  return new DomainError(
    'internal_error',
    'Something went wrong on the server; it has been logged with the request id.',
  );
}

function toProblem(error: DomainError, request_id: string): Problem {
  const { status, title } = PROBLEMS[error.code];
  return {
    type: `/docs#${error.code}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    request_id,
    ...(error.errors ? { errors: error.errors } : {}),
    ...(error.reading_id === undefined ? {} : { reading_id: error.reading_id }),
    ...(error.device_id === undefined ? {} : { device_id: error.device_id }),
  };
}

function send(reply: FastifyReply, request: FastifyRequest, error: DomainError): void {
  const body = toProblem(error, request.id);
  const { status } = body;
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  if (error.retry_after !== undefined) reply.header('retry-after', error.retry_after);
  reply.code(status).type('application/problem+json').serializer(JSON.stringify).send(body);
}

/** The methods that some contract answers at this path. */
function methodsAt(path: string): string[] {
  const segments = path.replace(/\/+$/, '').split('/');
  return Object.values(contracts)
    .filter(({ url }) => {
      const expected = url.split('/');
      return (
        expected.length === segments.length && expected.every((s, i) => s[0] === ':' || s === segments[i])
      );
    })
    .map(({ method }) => method);
}

/** Answers what fails before any route is found: an address that is no URL. */
export async function badRequest(
  limit: Limiter,
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  reply.header('x-request-id', request.id);
  const refused = await limit(request, reply, undefined).catch((refusal: Error) => refusal);
  send(reply, request, toDomainError(refused ?? error));
}

/** Answers what is no HTTP request at all: there is only a connection, and it ends with the answer. */
export function unreadable(error: { code?: string }, socket: Socket, request_id: string): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const detail = 'This is not an HTTP request, its headers are too long, or it took too long to arrive.';
  const body = JSON.stringify(toProblem(new DomainError('invalid_request', detail), request_id));
  const head = [
    'HTTP/1.1 400 Bad Request',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-ID: ${request_id}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** What an error says to the client, for an answer that has begun already. */
export function problemOf(error: Error, request_id: string): Problem {
  return toProblem(toDomainError(error), request_id);
}

/** Logs what is not the client's doing. */
export function logFailure(request: FastifyRequest, error: Error): void {
  const { code } = toDomainError(error);
  if (code === 'internal_error' || code === 'unavailable') request.log.error({ err: error });
}

/** @param page answers an address at which nothing is with the web app's page, where that is asked for; else false */
export function problems(
  app: FastifyInstance,
  page: (request: FastifyRequest, reply: FastifyReply) => boolean,
): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    logFailure(request, error);
    send(reply, request, toDomainError(error));
  });
  app.setNotFoundHandler((request, reply) => {
    if (page(request, reply)) return;
    const path = request.url.split('?')[0]!;
    const methods = methodsAt(path);
    if (methods.length > 0) {
      reply.header('allow', methods.join(', '));
      send(
        reply,
        request,
        new DomainError('method_not_allowed', `This address answers ${methods.join(', ')}.`),
      );
    } else {
      send(
        reply,
        request,
        new DomainError('not_found', `There is nothing at ${path}; /docs lists what there is.`),
      );
    }
  });
}
