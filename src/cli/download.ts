/** Downloads: to a file that is there whole or not at all, or on to whatever reads the output. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Failure } from './failure.ts';
import { printResult } from './terminal.ts';

/** Throws Failure where JSON and the file would go to the same place. */
export function checkOutput({ output, json }: { output?: string; json?: true }): void {
  if (json && !output) throw new Failure('With --json the file needs a place of its own: --output.', 'usage');
}

/** @param what names it: "the ledger of House in Sceaux" */
export async function save(
  bytes: ReadableStream<Uint8Array>,
  { output, json }: { output?: string; json?: true },
  property_id: number,
  what: string,
): Promise<void> {
  if (!output) {
    await pipeline(bytes, process.stdout, { end: false });
    return;
  }
  // Only a whole file gets the name: half of one would look like all there is.
  const partial = `${output}.partial`;
  try {
    await pipeline(bytes, createWriteStream(partial));
    await rename(partial, output);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  printResult(json, { property_id, output }, () => `Wrote ${what} to ${output}.`);
}
