/** Access tokens: JWTs (RFC 7519, RFC 9068's type) with everything about them fixed. */
import { errors, jwtVerify, SignJWT } from 'jose';

const ISSUER = 'electric';
const AUDIENCE = 'electric-api';
const TYPE = 'at+jwt';
const ALGORITHM = 'HS256';
const CACHED_TOKENS = 5000;

export function accessTokens(key: Uint8Array, lifetime_s: number, clock: () => number) {
  /** Tokens that were verified, until they expire: verifying costs more than most requests. */
  const verified = new Map<string, { user_id: number; expires_at: number }>();

  return {
    lifetime_s,

    sign(user_id: number): Promise<string> {
      const now_s = Math.floor(clock() / 1000);
      return new SignJWT()
        .setProtectedHeader({ alg: ALGORITHM, typ: TYPE })
        .setSubject(String(user_id))
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setIssuedAt(now_s)
        .setExpirationTime(now_s + lifetime_s)
        .sign(key);
    },

    /** @returns the id of the user whom the token speaks for; null if it is not a good token of ours */
    async verify(token: string): Promise<number | null> {
      const now_ms = clock();
      const known = verified.get(token);
      if (known) {
        if (known.expires_at > now_ms) return known.user_id;
        verified.delete(token);
        return null;
      }
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: [ALGORITHM],
          issuer: ISSUER,
          audience: AUDIENCE,
          typ: TYPE,
          requiredClaims: ['sub', 'exp'],
          currentDate: new Date(now_ms),
        });
        const user_id = Number(payload.sub);
        if (!Number.isSafeInteger(user_id) || user_id < 1) return null;
        if (verified.size >= CACHED_TOKENS) verified.delete(verified.keys().next().value!);
        verified.set(token, { user_id, expires_at: payload.exp! * 1000 });
        return user_id;
      } catch (error) {
        if (error instanceof errors.JOSEError) return null;
        throw error;
      }
    },
  };
}
