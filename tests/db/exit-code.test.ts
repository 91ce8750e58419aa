/** The database that the tests start must not hide how they ended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';

test('a process that has started and stopped the test database ends with its own exit code', async () => {
  const script = `
    import { startPostgres } from '${new URL('../support/postgres.ts', import.meta.url).href}';
    await (await startPostgres()).stop();
    process.exitCode = 3;`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'ignore' });
  expect(await once(child, 'exit')).toEqual([3, null]);
});
