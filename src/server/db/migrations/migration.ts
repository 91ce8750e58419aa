import type { SchemaWords } from '../dialect.ts';

/** One step of the schema. Never edited once released: the next change is the next migration. */
export interface Migration {
  number: number;
  name: string;
  statements(words: SchemaWords): string[];
}
