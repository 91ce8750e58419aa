import { type Static, Type } from 'typebox';
import { Closed, contract, Id, Instant, Text } from './schema.ts';

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
    refresh_token: Type.String({ description: 'Good for one refresh, which answers with the next one' }),
  },
  { $id: 'Tokens' },
);
export type Tokens = Static<typeof Tokens>;

const RefreshToken = Closed({ refresh_token: Type.String({ minLength: 1, maxLength: 200 }) });

export const register = contract({
  name: 'register',
  method: 'POST',
  url: '/api/auth/register',
  summary: 'Create an account',
  tag: 'auth',
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
    password: Type.String({
      minLength: MIN_PASSWORD_LENGTH,
      maxLength: 1024,
      pattern: '^\\P{Cs}*$',
      description: 'At least 15 characters of any kind: a sentence does well',
    }),
  }),
  response: { 201: User },
  errors: ['username_taken', 'email_taken'],
});

export const login = contract({
  name: 'login',
  method: 'POST',
  url: '/api/auth/login',
  summary: 'Sign in; an email address serves as username',
  tag: 'auth',
  public: true,
  body: Closed({
    username: Text(254),
    password: Type.String({ minLength: 1, maxLength: 1024 }),
  }),
  response: { 200: Tokens },
  errors: ['invalid_credentials', 'unavailable'],
});

export const refresh = contract({
  name: 'refresh',
  method: 'POST',
  url: '/api/auth/refresh',
  summary: 'Exchange a refresh token for new tokens',
  description:
    'A refresh token works once. Using it again ends every session that descends from the same sign-in.',
  tag: 'auth',
  public: true,
  body: RefreshToken,
  response: { 200: Tokens },
  errors: ['not_authenticated'],
});

export const logout = contract({
  name: 'logout',
  method: 'POST',
  url: '/api/auth/logout',
  summary: 'End the session of a refresh token',
  tag: 'auth',
  body: RefreshToken,
  response: { 204: Type.Null() },
  errors: [],
});

export const getMe = contract({
  name: 'getMe',
  method: 'GET',
  url: '/api/users/me',
  summary: 'The signed-in user',
  tag: 'users',
  response: { 200: User },
  errors: [],
});
