/** What the mails say. One function per mail; the language is the reader's. */
type Language = 'en' | 'de' | 'sv';

interface Message {
  subject: string;
  text: string;
}

/** @param locale BCP 47, null where nobody said */
export function languageOf(locale: string | null): Language {
  const language = locale?.split('-')[0]?.toLowerCase();
  return language === 'de' || language === 'sv' ? language : 'en';
}

export function passwordReset(language: Language, username: string, link: string): Message {
  const messages: Record<Language, Message> = {
    en: {
      subject: 'Choose a new password for Electric',
      text: `Hello ${username},

open this link within an hour to choose a new password:

${link}

It works once, and ends all your sessions. If you did not ask for it, do nothing: your password stays as it is.
`,
    },
    de: {
      subject: 'Neues Passwort für Electric',
      text: `Guten Tag ${username},

mit diesem Link lässt sich innerhalb einer Stunde ein neues Passwort wählen:

${link}

Er gilt einmal und beendet alle Sitzungen. Wer das nicht verlangt hat, muss nichts tun: das Passwort bleibt, wie es ist.
`,
    },
    sv: {
      subject: 'Nytt lösenord till Electric',
      text: `Hej ${username},

öppna länken inom en timme för att välja ett nytt lösenord:

${link}

Den fungerar en gång och avslutar alla dina sessioner. Har du inte bett om den behöver du inte göra något: lösenordet förblir som det är.
`,
    },
  };
  return messages[language];
}

export function invitation(
  language: Language,
  { inviter, property, link, days }: { inviter: string; property: string; link: string; days: number },
): Message {
  const messages: Record<Language, Message> = {
    en: {
      subject: `${inviter} invites you to ${property}`,
      text: `Hello,

${inviter} invites you to ${property} in Electric, the ledger of its electricity meters. Open this link within ${days} days:

${link}

It works once. If you do not know what this is about, do nothing.
`,
    },
    de: {
      subject: `${inviter} lädt Sie zu ${property} ein`,
      text: `Guten Tag,

${inviter} lädt Sie zu ${property} in Electric ein, dem Hauptbuch der Stromzähler dort. Der Link gilt ${days} Tage:

${link}

Er gilt einmal. Wer damit nichts anfangen kann, muss nichts tun.
`,
    },
    sv: {
      subject: `${inviter} bjuder in dig till ${property}`,
      text: `Hej,

${inviter} bjuder in dig till ${property} i Electric, liggaren över elmätarna där. Öppna länken inom ${days} dagar:

${link}

Den fungerar en gång. Vet du inte vad det gäller behöver du inte göra något.
`,
    },
  };
  return messages[language];
}
