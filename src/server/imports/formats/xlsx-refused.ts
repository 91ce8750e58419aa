/** How a workbook is refused; each sentence names the remedy. */
import { DomainError, invalid } from '../../errors.ts';

/** Refuses an upload as what it is; the sentence goes on "the file …". */
export function refused(message: string): DomainError {
  return invalid([{ path: 'file', message }]);
}

export const damaged = (what: string) =>
  refused(`is a damaged XLSX file (${what}): open it in a spreadsheet program and save it again, or as CSV`);
export const tooLarge = (what: string) => new DomainError('body_too_large', `The XLSX file ${what}.`);

export const AS_ARCHIVE = {
  damaged,
  encrypted: () => refused('has a password: save it without one, or as CSV'),
  tooLarge: (what: string) => tooLarge(`${what}: split it, or save it as CSV`),
};
