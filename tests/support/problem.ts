/** What every error answer must look like. */
import { expect } from 'vitest';
import { PROBLEMS, type ProblemCode } from '../../src/contract/problem.ts';

interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

/** The whole answer is a problem of this kind, and its request id is the one in the header. */
export function expectProblem(
  { status, headers, body }: Answer,
  code: ProblemCode,
  more: { errors?: string[]; reading_id?: number; device_id?: number } = {},
): void {
  const { errors, ...rest } = more;
  expect({ status, type: headers.get('content-type'), body }).toEqual({
    status: PROBLEMS[code].status,
    type: expect.stringMatching(/^application\/problem\+json/),
    body: {
      type: `/docs#${code}`,
      ...PROBLEMS[code],
      detail: expect.stringMatching(/\S/),
      code,
      request_id: headers.get('x-request-id'),
      ...(errors ? { errors: errors.map((path) => ({ path, message: expect.stringMatching(/\S/) })) } : {}),
      ...rest,
    },
  });
  if (status === 401) expect(headers.get('www-authenticate')).toBe('Bearer');
}
