/** Answers a call that takes its time with events (text/event-stream): how far it has come, and at last its answer. */
import { PassThrough } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Contract } from '../../contract/schema.ts';
import { logFailure, problemOf } from './problems.ts';

type Tell = (progress: object) => void;

const listening = new WeakMap<FastifyRequest, Tell>();

/** Where a handler says how far it has come; nobody may be listening. */
export function progressOf(request: FastifyRequest): Tell {
  return listening.get(request) ?? (() => {});
}

/** Whether a request asks for events, and gets them. */
export function wantsEvents({ progress }: Contract, { headers }: FastifyRequest): boolean {
  return progress === true && /(^|[\s,])text\/event-stream\s*(;|,|$)/i.test(headers.accept ?? '');
}

/** @param perform does the work and gives the body of its answer, serialised */
export function answerWithEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  perform: () => Promise<string | null>,
) {
  const events = new PassThrough();
  const tell = (event: string, data: string) => events.write(`event: ${event}\ndata: ${data}\n\n`);
  listening.set(request, (progress) => void tell('progress', JSON.stringify(progress)));
  perform()
    .then(
      (body) => tell('report', body ?? 'null'),
      (error) => {
        logFailure(request, error);
        tell('problem', JSON.stringify(problemOf(error, request.id)));
      },
    )
    .finally(() => events.end());
  return reply.type('text/event-stream').header('cache-control', 'no-store').send(events);
}
