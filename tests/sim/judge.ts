/** The model's judgement of a call that changes something. */
import { expect } from 'vitest';
import type { CallResult } from '../support/server.ts';
import { type Household, names, written } from './household.ts';
import * as model from './model.ts';

/** Holds a refusal against the model's, and that it has changed nothing. */
export async function refused(
  household: Household,
  { status, body }: CallResult,
  code: string,
  named: readonly model.Line[] | null = null,
): Promise<void> {
  expect({ status: status >= 500 ? body : 'refused', code: body.code }).toEqual({ status: 'refused', code });
  if (named) names(body, named);
  await written(household, []);
}

/** Holds one line that a call adds, or its refusal, against the answer. @returns whether it was added */
export async function added(
  household: Household,
  answer: CallResult,
  line: model.Line,
  success: number,
  is_too_long = false,
) {
  const obstacle = model.obstacle(household.list, [line]);
  if (obstacle) {
    await refused(household, answer, obstacle.refusal, obstacle.in_the_way);
    return false;
  }
  if (is_too_long) {
    await refused(household, answer, 'validation_failed');
    return false;
  }
  expect(answer).toMatchObject({ status: success });
  await written(household, [line]);
  return true;
}

export const pickReason = ({ random }: Household) =>
  random.percent(50) ? random.pick(['a slip', 'på begäran']) : null;
export const said = (reason: string | null) => (reason === null ? {} : { reason });

/** What takes the place of a line. */
export const next = (line: model.Line, changes: Partial<model.Line>): model.Line => ({
  ...line,
  ...{ id: 0, batch_id: 0, source: 'manual', supersedes: line.id },
  ...changes,
});
