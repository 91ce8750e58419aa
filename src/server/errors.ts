/** What can go wrong in the domain, thrown anywhere and mapped to problem+json in one place (http/problems.ts). */
import type { FieldError, ProblemCode } from '../contract/problem.ts';

export class DomainError extends Error {
  readonly code: ProblemCode;
  readonly errors?: FieldError[];
  readonly reading_id?: number;
  readonly device_id?: number;
  /** Seconds, for Retry-After. */
  readonly retry_after?: number;

  constructor(
    code: ProblemCode,
    detail: string,
    more: { errors?: FieldError[]; reading_id?: number; device_id?: number; retry_after?: number } = {},
  ) {
    super(detail);
    this.code = code;
    Object.assign(this, more);
  }
}

/** Names what stands in the way: a reading, or a device by its replacement. */
export function inTheWay({ reading_type, entry_id }: { reading_type: string; entry_id: number }) {
  return reading_type === 'replacement' ? { device_id: entry_id } : { reading_id: entry_id };
}

export function notFound(what: string): DomainError {
  return new DomainError('not_found', `There is no ${what}.`);
}

export function forbidden(what: string): DomainError {
  return new DomainError('forbidden', `This ${what} belongs to somebody else; ask its owner for access.`);
}

/** 422: every wrong field with what would be right. */
export function invalid(errors: FieldError[]): DomainError {
  const detail = errors
    .slice(0, 3)
    .map(({ path, message }) => `${path}: ${message}`)
    .join('; ');
  return new DomainError('validation_failed', `${detail}${errors.length > 3 ? '; …' : '.'}`, { errors });
}
