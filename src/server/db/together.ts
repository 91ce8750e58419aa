/**
 * Awaits statements that don't need each other's results: they share a round trip to a database server, which carries
 * them out in the order in which they were begun. Ends when all have ended, so that none runs on after its transaction;
 * throws the first error.
 */
export async function together<T extends readonly unknown[]>(
  work: {
    [K in keyof T]: Promise<T[K]>;
  },
): Promise<T> {
  try {
    return (await Promise.all(work)) as unknown as T;
  } catch (error) {
    await Promise.allSettled(work);
    throw error;
  }
}
