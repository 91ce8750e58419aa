/** How a command fails: what it says on standard error, and the exit code it leaves. */
import { CommanderError } from 'commander';
import { ApiError } from '../client/index.ts';
import { type FieldError, PROBLEMS } from '../contract/problem.ts';
import { DatabaseUnusable } from '../server/db/connect.ts';
import { DomainError } from '../server/errors.ts';

export const EXIT = { failed: 1, usage: 2, refused: 3 } as const;

export const EXIT_CODES = `
Exit codes:
  0  done
  1  failed: the server cannot be reached or started, a file cannot be read, an error on the server
  2  wrong usage: see --help
  3  refused: the server said no (credentials, permissions, no such thing, a conflict, wrong values)`;

/** A failure that the message explains; `kind` decides the exit code. */
export class Failure extends Error {
  readonly kind: keyof typeof EXIT;
  constructor(message: string, kind: keyof typeof EXIT = 'failed') {
    super(message);
    this.kind = kind;
  }
}

interface Report {
  title: string;
  detail: string;
  status?: number;
  code: string;
  errors?: FieldError[];
  request_id?: string;
}

const TITLES = {
  failed: 'The command failed',
  usage: 'The command was used wrongly',
  refused: 'The command was refused',
};

/** An error of the system (no such file, no connection, wrong database password) says enough with its message. */
function describe(error: Error): string {
  const parts = error instanceof AggregateError ? (error.errors as Error[]) : [error];
  if (!('code' in error) && !(error instanceof DatabaseUnusable)) return error.stack ?? error.message;
  return parts.map(({ message }) => message).join('; ');
}

function toReport(error: Error): [kind: keyof typeof EXIT, report: Report] {
  if (error instanceof ApiError) {
    return [error.problem.status < 500 ? 'refused' : 'failed', error.problem];
  }
  if (error instanceof DomainError) {
    const { code, errors, message: detail } = error;
    return ['refused', { ...PROBLEMS[code], detail, code, ...(errors ? { errors } : {}) }];
  }
  if (error instanceof CommanderError) {
    const detail = error.message.replace(/^error: /, '');
    return ['usage', { title: TITLES.usage, detail, code: 'usage' }];
  }
  const kind = error instanceof Failure ? error.kind : 'failed';
  const detail = error instanceof Failure ? error.message : describe(error);
  return [kind, { title: TITLES[kind], detail, code: kind }];
}

/**
 * Says on standard error what went wrong: in words, or as one problem document (RFC 9457).
 * @returns the exit code
 */
export function reportFailure(error: Error, json: boolean): number {
  const [kind, report] = toReport(error);
  if (json) {
    process.stderr.write(`${JSON.stringify({ type: 'about:blank', ...report })}\n`);
    return EXIT[kind];
  }
  const lines = [`electric: ${report.detail}`];
  for (const { path, message } of report.errors ?? []) lines.push(`  ${path}: ${message}`);
  if (kind === 'usage') lines.push('Run it with --help to see what it takes.');
  if (kind === 'failed' && report.request_id) lines.push(`  request id: ${report.request_id}`);
  process.stderr.write(`${lines.join('\n')}\n`);
  return EXIT[kind];
}
