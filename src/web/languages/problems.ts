/** What went wrong, for people: the server's own sentence in English, one for its code in the other languages. */
import { ApiError } from '../../client/calls.ts';
import type { ProblemCode } from '../../contract/problem.ts';
import { currentLanguage, messages } from './index.ts';

const say = messages({
  unreachable: {
    en: 'The server can’t be reached. Check the connection and try again.',
    sv: 'Servern kan inte nås. Kontrollera anslutningen och försök igen.',
    de: 'Der Server ist nicht erreichbar. Verbindung prüfen und erneut versuchen.',
  },
  broken: {
    en: 'The app made a mistake. Load the page again; what was saved is safe.',
    sv: 'Appen gjorde fel. Ladda om sidan; det som sparats finns kvar.',
    de: 'Die App hat einen Fehler gemacht. Laden Sie die Seite neu; Gespeichertes ist sicher.',
  },
});

/** Swedish and German for the codes that people meet. Others are shown as the server says them. */
const SENTENCES: Partial<Record<ProblemCode, { sv: string; de: string }>> = {
  invalid_credentials: {
    sv: 'Användarnamnet eller lösenordet stämmer inte.',
    de: 'Benutzername oder Passwort stimmt nicht.',
  },
  not_authenticated: {
    sv: 'Du är inte inloggad längre. Logga in igen.',
    de: 'Sie sind nicht mehr angemeldet. Melden Sie sich erneut an.',
  },
  too_many_attempts: {
    sv: 'För många misslyckade försök. Vänta en stund.',
    de: 'Zu viele Fehlversuche. Bitte eine Weile warten.',
  },
  rate_limited: {
    sv: 'För många förfrågningar. Vänta en minut och försök igen.',
    de: 'Zu viele Anfragen. Bitte in einer Minute erneut versuchen.',
  },
  reset_token_invalid: {
    sv: 'Länken gäller inte längre. Be om en ny.',
    de: 'Der Link gilt nicht mehr. Fordern Sie einen neuen an.',
  },
  username_taken: { sv: 'Användarnamnet är upptaget.', de: 'Der Benutzername ist vergeben.' },
  email_taken: {
    sv: 'Det finns redan ett konto med den e-postadressen.',
    de: 'Zu dieser E-Mail-Adresse gibt es schon ein Konto.',
  },
  name_taken: {
    sv: 'Namnet är upptaget. Välj ett annat.',
    de: 'Der Name ist vergeben. Wählen Sie einen anderen.',
  },
  validation_failed: { sv: 'Några fält behöver ändras.', de: 'Einige Felder müssen geändert werden.' },
  forbidden: { sv: 'Det här hör till någon annan.', de: 'Das gehört jemand anderem.' },
  role_too_low: {
    sv: 'Din roll tillåter inte det. Be en ägare.',
    de: 'Ihre Rolle erlaubt das nicht. Fragen Sie einen Eigentümer.',
  },
  not_found: { sv: 'Det finns inte, eller inte längre.', de: 'Das gibt es nicht, oder nicht mehr.' },
  invitation_used: {
    sv: 'Inbjudan är redan använd. Be om en ny.',
    de: 'Die Einladung wurde schon benutzt. Bitten Sie um eine neue.',
  },
  invitation_expired: {
    sv: 'Inbjudan har gått ut. Be om en ny.',
    de: 'Die Einladung ist abgelaufen. Bitten Sie um eine neue.',
  },
  invitation_revoked: {
    sv: 'Inbjudan har dragits tillbaka. Be om en ny.',
    de: 'Die Einladung wurde zurückgezogen. Bitten Sie um eine neue.',
  },
  already_member: { sv: 'Du är redan med.', de: 'Sie sind schon dabei.' },
  reading_conflict: {
    sv: 'Ett annat värde är redan registrerat för den tidpunkten.',
    de: 'Für diesen Zeitpunkt ist schon ein anderer Wert erfasst.',
  },
  precondition_failed: {
    sv: 'Någon har ändrat det här under tiden. Ladda om och försök igen.',
    de: 'Das wurde inzwischen geändert. Neu laden und erneut versuchen.',
  },
  internal_error: {
    sv: 'Något gick fel på servern. Försök igen.',
    de: 'Auf dem Server ist etwas schiefgegangen. Bitte erneut versuchen.',
  },
  unavailable: {
    sv: 'Servern kan inte svara just nu. Försök igen om några sekunder.',
    de: 'Der Server kann gerade nicht antworten. Bitte in einigen Sekunden erneut versuchen.',
  },
};

/** A sentence about what a call threw, and what to do about it. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof ApiError)) return error instanceof TypeError ? say('unreachable') : say('broken');
  const language = currentLanguage();
  const { code, detail } = error.problem;
  return (language === 'en' ? undefined : SENTENCES[code]?.[language]) ?? detail;
}

/** The same for each field that is wrong, by its path. */
export function fieldErrors(error: unknown): Record<string, string> {
  if (!(error instanceof ApiError)) return {};
  const { code, errors = [] } = error.problem;
  if (errors.length > 0) return Object.fromEntries(errors.map(({ path, message }) => [path, message]));
  // What concerns exactly one field of a form, but says so by its code.
  if (code === 'username_taken') return { username: sentenceOf(error) };
  if (code === 'email_taken') return { email: sentenceOf(error) };
  return {};
}
