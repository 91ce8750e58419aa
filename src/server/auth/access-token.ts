/** Access tokens: JWTs (RFC 7519, RFC 9068's type) with everything about them fixed. */
import { errors, jwtVerify, SignJWT } from 'jose';

const ISSUER = 'electric';
const AUDIENCE = 'electric-api';
const TYPE = 'at+jwt';
const ALGORITHM = 'HS256';
const CACHED_TOKENS = 5000;

/** What a token says: whom it speaks for, and in which session. Whether that goes on is in the database. */
export interface Claims {
  user_id: number;
  session: string;
}

export function accessTokens(key: Uint8Array, lifetime_s: number, clock: () => number) {
  /** Tokens that were verified, until they expire: verifying costs more than most requests. */
  const verified = new Map<string, { claims: Claims; expires_at: number }>();

  return {
    lifetime_s,

    sign({ user_id, session }: Claims): Promise<string> {
      const now_s = Math.floor(clock() / 1000);
      return new SignJWT({ sid: session })
        .setProtectedHeader({ alg: ALGORITHM, typ: TYPE })
        .setSubject(String(user_id))
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setIssuedAt(now_s)
        .setExpirationTime(now_s + lifetime_s)
        .sign(key);
    },

    /** @returns what the token says; null if it is not a good token of ours */
    async verify(token: string): Promise<Claims | null> {
      const now_ms = clock();
      const known = verified.get(token);
      if (known) {
        if (known.expires_at > now_ms) return known.claims;
        verified.delete(token);
        return null;
      }
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: [ALGORITHM],
          issuer: ISSUER,
          audience: AUDIENCE,
          typ: TYPE,
          requiredClaims: ['sub', 'exp', 'sid'],
          currentDate: new Date(now_ms),
        });
        const { sub, sid, exp } = payload;
        const user_id = typeof sub === 'string' ? Number(sub) : Number.NaN;
        if (!Number.isSafeInteger(user_id) || user_id < 1 || typeof sid !== 'string') return null;
        if (verified.size >= CACHED_TOKENS) verified.delete(verified.keys().next().value!);
        const claims = { user_id, session: sid };
        verified.set(token, { claims, expires_at: exp! * 1000 });
        return claims;
      } catch (error) {
        if (error instanceof errors.JOSEError) return null;
        throw error;
      }
    },
  };
}
