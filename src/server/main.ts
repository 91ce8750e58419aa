/** Starts the server: config → deps → app → listen → close on signal. */
import { rmSync, writeFileSync } from 'node:fs';
import { buildApp } from './app.ts';
import { ConfigError, loadConfig } from './config.ts';
import { connect, DatabaseUnusable, databaseFile } from './db/connect.ts';
import { migrate } from './db/migrate.ts';
import { makeDeps } from './deps.ts';
import { handlers } from './jobs/handlers.ts';
import { MqttListener } from './mqtt/listener.ts';
import { loadSecret } from './secret.ts';

/** Serves until SIGINT or SIGTERM. */
async function main(): Promise<void> {
  const config = loadConfig(undefined, process.argv.slice(2));
  const db = await connect(config.DATABASE_URL);
  await migrate(db, Date.now());
  const deps = makeDeps(config, loadSecret(config), db);
  const app = buildApp(deps);
  const address = await app.listen({ host: config.HOST, port: config.PORT });
  deps.jobs.start(handlers(deps));
  const mqtt = config.MQTT_URL === null ? null : new MqttListener(deps, config.MQTT_URL);
  mqtt?.start();

  // Beside an embedded database the command line finds the server that is using it.
  const file = databaseFile(config.DATABASE_URL);
  if (file) writeFileSync(`${file}-server`, address);

  let closing = false;
  const close = async () => {
    if (closing) return;
    closing = true;
    if (file) rmSync(`${file}-server`, { force: true });
    await app.close();
    await mqtt?.stop();
    await deps.jobs.stop();
    await db.close();
  };
  process.once('SIGINT', close);
  process.once('SIGTERM', close);
  // The command that started this server has ended, in whatever way. Its channel alone is no reason to live on.
  process.once('disconnect', close);
  process.channel?.unref();

  process.stdout.write(`Electric listens on ${address} (API reference: ${address}/docs)\n`);
}

main().catch((error: Error) => {
  const expected = error instanceof ConfigError || error instanceof DatabaseUnusable;
  process.stderr.write(`Electric cannot start. ${expected ? error.message : error.stack}\n`);
  process.exitCode = 1;
});
