import { type DomainError, invalid } from '../errors.ts';

/** An archive that cannot be restored. @param path what it is about: a file of it, or a field of property.json */
export function unreadable(path: string, message: string): DomainError {
  return invalid([{ path, message }]);
}
