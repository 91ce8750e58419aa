// Loaded into a server before it starts: the process dies as a kill -9 ends it, right after the first commit of a
// transaction that made the statement which DIE_AFTER begins, or took an Idempotency-Key, before anybody is told.
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';

const statement = new RegExp(`^\\s*${process.env.DIE_AFTER ?? 'insert into idempotency_keys'}`, 'i');

let taken = false;
function after(prototype, name, textOf) {
  const own = prototype[name];
  prototype[name] = function (...args) {
    const text = textOf(args);
    const answer = own.apply(this, args);
    if (statement.test(text)) taken = true;
    const die = () => {
      if (taken && /^commit/i.test(text)) process.kill(process.pid, 'SIGKILL');
    };
    if (answer instanceof Promise) answer.then(die);
    else die();
    return answer;
  };
}
after(DatabaseSync.prototype, 'exec', ([text]) => text);
after(DatabaseSync.prototype, 'prepare', ([text]) => text);
after(pg.Client.prototype, 'query', ([query]) => String(query?.text ?? query));
