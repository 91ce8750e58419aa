import { messages } from '../../languages/index.ts';

export const say = messages({
  register: { en: 'Create account', sv: 'Skapa konto', de: 'Konto anlegen' },
  username: { en: 'Username', sv: 'Användarnamn', de: 'Benutzername' },
  username_hint: {
    en: 'Letters, digits, dot, underscore and hyphen',
    sv: 'Bokstäver, siffror, punkt, understreck och bindestreck',
    de: 'Buchstaben, Ziffern, Punkt, Unterstrich und Bindestrich',
  },
  username_or_email: {
    en: 'Username or email',
    sv: 'Användarnamn eller e-post',
    de: 'Benutzername oder E-Mail',
  },
  email: { en: 'Email', sv: 'E-post', de: 'E-Mail' },
  password: { en: 'Password', sv: 'Lösenord', de: 'Passwort' },
  password_hint: {
    en: 'At least 15 characters. A sentence does well.',
    sv: 'Minst 15 tecken. En mening fungerar bra.',
    de: 'Mindestens 15 Zeichen. Ein Satz eignet sich gut.',
  },
  no_account: { en: 'New here?', sv: 'Ny här?', de: 'Neu hier?' },
  have_account: { en: 'Already have an account?', sv: 'Har du redan ett konto?', de: 'Schon ein Konto?' },
  forgot_password: { en: 'Forgot your password?', sv: 'Glömt lösenordet?', de: 'Passwort vergessen?' },
  forgot_explained: {
    en: 'We mail you a link to choose a new one. If this server cannot send mail, ask whoever runs it.',
    sv: 'Vi mejlar en länk för att välja ett nytt. Kan servern inte skicka mejl, fråga den som sköter den.',
    de: 'Wir mailen einen Link für ein neues. Kann dieser Server keine Mails senden, fragen Sie, wer ihn betreibt.',
  },
  send_link: { en: 'Send link', sv: 'Skicka länk', de: 'Link senden' },
  link_sent: {
    en: 'If there is such an account, a mail is on its way.',
    sv: 'Om kontot finns är ett mejl på väg.',
    de: 'Falls es das Konto gibt, ist eine Mail unterwegs.',
  },
  new_password: { en: 'New password', sv: 'Nytt lösenord', de: 'Neues Passwort' },
  choose_password: { en: 'Choose a new password', sv: 'Välj ett nytt lösenord', de: 'Neues Passwort wählen' },
  password_changed: {
    en: 'The new password is set. Sign in with it.',
    sv: 'Det nya lösenordet gäller. Logga in med det.',
    de: 'Das neue Passwort gilt. Melden Sie sich damit an.',
  },
  link_broken: {
    en: 'This link is not complete. Open it from the mail, or ask for a new one.',
    sv: 'Länken är inte hel. Öppna den från mejlet eller be om en ny.',
    de: 'Dieser Link ist unvollständig. Öffnen Sie ihn aus der Mail, oder fordern Sie einen neuen an.',
  },
  back_to_sign_in: { en: 'Back to sign in', sv: 'Tillbaka till inloggningen', de: 'Zurück zur Anmeldung' },
  invitation: { en: 'Invitation', sv: 'Inbjudan', de: 'Einladung' },
  invited_to: {
    en: '{by} invites you to {property} as {role}.',
    sv: '{by} bjuder in dig till {property} som {role}.',
    de: '{by} lädt Sie zu {property} ein, als {role}.',
  },
  accept: { en: 'Accept', sv: 'Tacka ja', de: 'Annehmen' },
  sign_in_to_accept: {
    en: 'Sign in or create an account to accept it.',
    sv: 'Logga in eller skapa ett konto för att tacka ja.',
    de: 'Melden Sie sich an oder legen Sie ein Konto an, um sie anzunehmen.',
  },
  nothing_here: { en: 'There is nothing here', sv: 'Här finns inget', de: 'Hier ist nichts' },
  to_overview: { en: 'To the overview', sv: 'Till översikten', de: 'Zur Übersicht' },
});
