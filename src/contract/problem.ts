/** The error body (RFC 9457) and the catalogue of its codes. */
import { type Static, Type } from 'typebox';

/** Every error the API answers with: code → status and title. Codes are stable; programs rely on them. */
export const PROBLEMS = {
  invalid_request: { status: 400, title: 'The request cannot be read' },
  invalid_json: { status: 400, title: 'The body is not valid JSON' },
  not_authenticated: { status: 401, title: 'Credentials are missing or no longer valid' },
  invalid_credentials: { status: 401, title: 'The username or the password is wrong' },
  reset_token_invalid: { status: 401, title: 'The link is not valid any more' },
  forbidden: { status: 403, title: 'This belongs to somebody else' },
  role_too_low: { status: 403, title: 'Your role does not allow this' },
  insufficient_scope: { status: 403, title: 'The API key is not for this' },
  cross_site: { status: 403, title: 'The request comes from another site' },
  wrong_password: { status: 403, title: 'The current password is wrong' },
  not_found: { status: 404, title: 'There is no such thing' },
  method_not_allowed: { status: 405, title: 'This address does not answer that method' },
  username_taken: { status: 409, title: 'The username is taken' },
  email_taken: { status: 409, title: 'The email address is taken' },
  main_meter_exists: { status: 409, title: 'The property has its main meter' },
  topic_taken: { status: 409, title: 'The MQTT topic is taken' },
  mqtt_off: { status: 409, title: 'The server takes no MQTT messages for the property' },
  name_taken: { status: 409, title: 'The name is taken' },
  reading_conflict: { status: 409, title: 'Another value is recorded for that instant' },
  device_described: { status: 409, title: 'The first device of the meter is described already' },
  reading_superseded: { status: 409, title: 'The reading is not in force any more' },
  batch_superseded: { status: 409, title: 'What the batch recorded was changed since' },
  interval_overlap: { status: 409, title: 'The interval overlaps another reading' },
  last_owner: { status: 409, title: 'A property has an owner' },
  too_many_api_keys: { status: 409, title: 'As many API keys as there may be' },
  already_member: { status: 409, title: 'Already a member' },
  invitation_used: { status: 409, title: 'The invitation was used' },
  has_submeters: { status: 409, title: 'There are submeters below it' },
  property_not_empty: { status: 409, title: 'The property is not empty' },
  meter_inactive: { status: 409, title: 'The meter is inactive' },
  property_inactive: { status: 409, title: 'The property is inactive' },
  invitation_expired: { status: 410, title: 'The invitation has expired' },
  invitation_revoked: { status: 410, title: 'The invitation was revoked' },
  precondition_failed: { status: 412, title: 'It has changed since' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The content type is not supported' },
  validation_failed: { status: 422, title: 'Some fields are wrong' },
  idempotency_key_reused: { status: 422, title: 'The Idempotency-Key stands for another request' },
  rate_limited: { status: 429, title: 'Too many requests' },
  too_many_attempts: { status: 429, title: 'Too many failed attempts' },
  internal_error: { status: 500, title: 'Something went wrong on the server' },
  unavailable: { status: 503, title: 'The server cannot answer right now' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

export const Problem = Type.Object(
  {
    type: Type.String({ description: 'A URI reference for this kind of problem' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What is wrong and what to do about it' }),
    code: Type.Unsafe<ProblemCode>({ type: 'string', enum: Object.keys(PROBLEMS) }),
    request_id: Type.String(),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          path: Type.String({ description: 'The field, for example submeter_readings.kitchen' }),
          message: Type.String(),
        }),
        { description: 'With 422: one entry for every field that is wrong' },
      ),
    ),
    reading_id: Type.Optional(
      Type.Integer({ description: 'With reading_conflict and interval_overlap: the reading that is there' }),
    ),
    device_id: Type.Optional(
      Type.Integer({ description: 'The same, where it is the replacement of a device that is there' }),
    ),
  },
  { $id: 'Problem' },
);
export type Problem = Static<typeof Problem>;
export type FieldError = NonNullable<Problem['errors']>[number];
