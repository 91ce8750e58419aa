import type { Command } from 'commander';
import { addCreate } from './user-create.ts';
import { addResetPassword } from './user-reset-password.ts';

export function addUser(program: Command): void {
  const user = program.command('user').description('Look after user accounts.');
  for (const add of [addCreate, addResetPassword]) add(user);
}
