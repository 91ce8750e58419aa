/** One page of a list, in the envelope that every list has. */
export interface Page {
  limit?: number;
  offset?: number;
}

export interface Listed<T> {
  items: T[];
  total: number;
  limit: number;
  offset: number;
}

/** @param page limit and offset, as the contract's defaults have filled them in */
export function listed<T>(items: T[], total: number, { limit = items.length, offset = 0 }: Page): Listed<T> {
  return { items, total, limit, offset };
}

/** A pattern for LIKE … ESCAPE '\' that finds `part` anywhere. */
export function containing(part: string): string {
  return `%${part.replace(/[\\%_]/g, '\\$&')}%`;
}
