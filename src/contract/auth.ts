import { type Static, Type } from 'typebox';
import { Closed, contract, Id, Instant, List, Nullable, Page, Text } from './schema.ts';

export const MIN_PASSWORD_LENGTH = 15;

export const User = Type.Object(
  { id: Id, username: Type.String(), email: Type.String(), created_at: Instant },
  { $id: 'User' },
);
export type User = Static<typeof User>;

export const Tokens = Type.Object(
  {
    access_token: Type.String({ description: 'A JWT for `Authorization: Bearer`' }),
    token_type: Type.Literal('bearer'),
    expires_in: Type.Integer({ description: 'Seconds until the access token expires' }),
    refresh_token: Nullable(
      Type.String({
        description: 'Good for one refresh, which answers with the next one; null where it is in the cookie',
      }),
    ),
  },
  { $id: 'Tokens' },
);
export type Tokens = Static<typeof Tokens>;

export const Session = Type.Object(
  {
    id: Type.String(),
    created_at: Type.String({ ...Instant, description: 'When somebody signed in, UTC' }),
    last_used_at: Type.String({
      ...Instant,
      description: 'When its tokens were last renewed, UTC: to within the lifetime of an access token',
    }),
    user_agent: Nullable(Type.String({ description: 'What the client called itself, its beginning' })),
    current: Type.Boolean({ description: 'Whether this request belongs to it' }),
  },
  { $id: 'Session' },
);
export type Session = Static<typeof Session>;

const Password = Type.String({
  minLength: MIN_PASSWORD_LENGTH,
  maxLength: 1024,
  pattern: '^\\P{Cs}*$',
  description: 'At least 15 characters of any kind: a sentence does well',
});

/** What was set before is compared as it is; too long for one, it is not the password. */
export const KnownPassword = Type.String({ minLength: 1, maxLength: 1024 });

const RefreshToken = Type.Optional(
  Closed({
    refresh_token: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: 'Without it the cookie is read' }),
    ),
  }),
);

export const register = contract({
  name: 'register',
  method: 'POST',
  url: '/api/auth/register',
  summary: 'Create an account',
  description:
    'A password is refused if it is shorter than 15 characters or easy to guess: repeated, neighbouring keys, well-known, ' +
    'or made of the name, the email address or the service. Nothing is asked of its letters, digits or signs.',
  tag: 'auth',
  limit: 'sign_in',
  public: true,
  body: Closed({
    username: Type.String({
      minLength: 3,
      maxLength: 64,
      pattern: '^[\\p{L}\\p{N}][\\p{L}\\p{N}._-]*$',
      description: 'Letters, digits, dot, underscore and hyphen; beginning with a letter or digit',
    }),
    email: Type.String({
      maxLength: 254,
      pattern: '^[^\\s@\\p{Cc}\\p{Cs}]+@[^\\s@\\p{Cc}\\p{Cs}]+\\.[^\\s@\\p{Cc}\\p{Cs}]+$',
      description: 'An email address',
    }),
    password: Password,
  }),
  response: { 201: User },
  errors: ['username_taken', 'email_taken', 'unavailable'],
});

export const login = contract({
  name: 'login',
  method: 'POST',
  url: '/api/auth/login',
  summary: 'Sign in; an email address serves as username',
  description:
    'Failures are counted by username and by client address: after five (thirty for an address) further attempts are ' +
    'refused for 30 s, twice as long after every further failure, at most 15 minutes. Sessions go on meanwhile.',
  tag: 'auth',
  limit: 'sign_in',
  public: true,
  body: Closed({
    username: Text(254),
    password: KnownPassword,
    use_cookie: Type.Optional(
      Type.Boolean({
        description:
          'For browsers: the refresh token goes into the cookie `__Host-electric_refresh`, which scripts cannot read. ' +
          'Only from a page of this server',
      }),
    ),
  }),
  response: { 200: Tokens },
  errors: ['invalid_credentials', 'cross_site', 'too_many_attempts', 'unavailable'],
});

export const refresh = contract({
  name: 'refresh',
  method: 'POST',
  url: '/api/auth/refresh',
  summary: 'Exchange a refresh token for new tokens',
  description:
    'A refresh token works once. Using it again ends the session. A token from the cookie is answered by the next ' +
    'one in the cookie.',
  tag: 'auth',
  public: true,
  body: RefreshToken,
  response: { 200: Tokens },
  errors: ['not_authenticated', 'cross_site'],
});

export const logout = contract({
  name: 'logout',
  method: 'POST',
  url: '/api/auth/logout',
  summary: 'End the session',
  description:
    'Its access tokens are refused from now on. So are those of the refresh token, in body or cookie.',
  tag: 'auth',
  body: RefreshToken,
  response: { 204: Type.Null() },
  errors: ['cross_site'],
});

export const listSessions = contract({
  name: 'listSessions',
  method: 'GET',
  url: '/api/auth/sessions',
  summary: 'Where the account is signed in, the latest sign-in first',
  tag: 'auth',
  query: Closed(Page),
  response: { 200: List(Session) },
  errors: [],
});

export const endSession = contract({
  name: 'endSession',
  method: 'DELETE',
  url: '/api/auth/sessions/:session_id',
  summary: 'End a session, here or elsewhere',
  tag: 'auth',
  params: Closed({ session_id: Type.String({ minLength: 1, maxLength: 64 }) }),
  response: { 204: Type.Null() },
  errors: ['forbidden', 'not_found'],
});

export const changePassword = contract({
  name: 'changePassword',
  method: 'POST',
  url: '/api/auth/change-password',
  summary: 'Change the password',
  description: 'All other sessions of the account end.',
  tag: 'auth',
  limit: 'sign_in',
  body: Closed({ current_password: KnownPassword, new_password: Password }),
  response: { 204: Type.Null() },
  errors: ['forbidden', 'wrong_password', 'too_many_attempts', 'unavailable'],
});

export const forgotPassword = contract({
  name: 'forgotPassword',
  method: 'POST',
  url: '/api/auth/forgot-password',
  summary: 'Ask for a mail with a link to choose a new password',
  description:
    'Always 202, whether there is such an account or not. Nothing is sent where the server has no mail server ' +
    '(SMTP_URL): there whoever runs it uses `electric user reset-password`.',
  tag: 'auth',
  limit: 'sign_in',
  public: true,
  body: Closed({ username: Text(254) }),
  response: { 202: Type.Object({}, { description: 'If there is such an account, a mail is on its way' }) },
  errors: [],
});

export const resetPassword = contract({
  name: 'resetPassword',
  method: 'POST',
  url: '/api/auth/reset-password',
  summary: 'Choose a new password with the token of a mailed link',
  description: 'The token works once, within an hour. All sessions of the account end.',
  tag: 'auth',
  limit: 'sign_in',
  public: true,
  body: Closed({ token: Type.String({ minLength: 1, maxLength: 200 }), new_password: Password }),
  response: { 202: Type.Object({}, { description: 'The new password is set: sign in with it' }) },
  errors: ['reset_token_invalid', 'unavailable'],
});
