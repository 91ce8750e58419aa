/** Who does which kind of job. */
import { sendResetLink } from '../auth/reset.ts';
import type { Deps } from '../deps.ts';
import type { Handlers } from './queue.ts';

export function handlers(deps: Deps): Handlers {
  return {
    async mail(message) {
      if (!deps.mail) throw new Error('no mail server is set (SMTP_URL)');
      await deps.mail(message);
    },
    forgot_password: ({ login }, finish) => sendResetLink(deps, login, finish),
  };
}
