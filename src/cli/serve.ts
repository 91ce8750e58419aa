import { once } from 'node:events';
import { constants } from 'node:os';
import type { Command } from 'commander';
import { type DatabaseOption, databaseOption, type JsonOption, jsonOption } from './options.ts';
import { listening, spawnServer } from './server.ts';
import { printResult } from './terminal.ts';

async function serve({ settings, json }: DatabaseOption & JsonOption): Promise<void> {
  const server = spawnServer(settings, json ? 'pipe' : 'inherit', 'inherit');
  const exited = once(server, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  // The terminal sends Ctrl-C to the server too, and a second SIGINT would cut it off: it gets one SIGTERM from here.
  let is_told = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!is_told) server.kill('SIGTERM');
      is_told = true;
    });
  }
  if (json) {
    const origin = await listening(server);
    if (origin) printResult(json, { server: origin }, () => origin);
    server.stdout!.pipe(process.stderr);
  }
  const [code, signal] = await exited;
  process.exitCode = code ?? 128 + constants.signals[signal!];
}

export function addServe(program: Command): void {
  const command = program.command('serve').description('Start the server, until Ctrl-C or SIGTERM.');
  jsonOption(databaseOption(command))
    .addHelpText(
      'after',
      `
The other settings are environment variables: HOST (127.0.0.1), PORT (8000), LOG_LEVEL (info), …

Examples:
  electric serve
  HOST=0.0.0.0 PORT=9000 electric serve`,
    )
    .action(serve);
}
