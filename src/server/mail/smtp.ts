/** Sends mail through the SMTP server of SMTP_URL. */
import { Hopeless, type Payloads } from '../jobs/queue.ts';

export type SendMail = (message: Payloads['mail']) => Promise<void>;

const TIMEOUT_MS = 30_000;

/** @param url `smtp://` or `smtps://user:password@host:port`; @param from the sender's address */
export function smtp(url: string, from: string): SendMail {
  return async (message) => {
    // Mail is rare: the library is loaded when the first one is sent.
    const { createTransport } = await import('nodemailer');
    const transport = createTransport(
      {
        url,
        connectionTimeout: TIMEOUT_MS,
        greetingTimeout: TIMEOUT_MS,
        socketTimeout: TIMEOUT_MS,
        disableFileAccess: true,
        disableUrlAccess: true,
      },
      { from },
    );
    try {
      await transport.sendMail({ ...message, headers: { 'Auto-Submitted': 'auto-generated' } });
    } catch (error) {
      const { responseCode, command } = error as { responseCode?: number; command?: string };
      // The receiver is refused for good (RFC 5321, 4.2.1); a refused sign-in somebody may yet mend.
      if (responseCode && responseCode >= 500 && command === 'RCPT TO')
        throw new Hopeless((error as Error).message);
      throw error;
    } finally {
      transport.close();
    }
  };
}
