import { type Static, Type } from 'typebox';
import { PropertyParams } from './properties.ts';
import { Closed, contract, Id, Instant, List, Nullable, OneOf, Page, ROLES } from './schema.ts';

export const DEFAULT_EXPIRES_IN_DAYS = 7;

const ROLE = OneOf(ROLES, {
  description:
    'owner: everything; editor: meters, devices, readings, corrections; reader: sees all and records readings; ' +
    'tenant: sees the meters in meter_ids, and records readings of those',
});
const MeterIds = Type.Array(Id, { description: 'For tenants: the meters they see; null for other roles' });
const MeterIdsInput = Type.Optional(
  Type.Array(Id, {
    minItems: 1,
    maxItems: 1000,
    uniqueItems: true,
    description:
      'The meters of the property that a tenant sees; required for tenants, refused for other roles',
  }),
);

export const Member = Type.Object(
  {
    user_id: Id,
    username: Type.String(),
    role: ROLE,
    meter_ids: Nullable(MeterIds),
    since: Instant,
  },
  { $id: 'Member' },
);
export type Member = Static<typeof Member>;

const MemberParams = Type.Object({ property_id: Id, user_id: Id });

export const listMembers = contract({
  name: 'listMembers',
  method: 'GET',
  url: '/api/properties/:property_id/users',
  summary: 'The people of a property, in the order in which they joined',
  tag: 'people',
  role: 'owner',
  params: PropertyParams,
  query: Closed(Page),
  response: { 200: List(Member) },
  errors: ['forbidden', 'not_found'],
});

export const setMember = contract({
  name: 'setMember',
  method: 'POST',
  url: '/api/properties/:property_id/users/:user_id',
  summary: "Make a user a member, or change a member's role or the meters a tenant sees",
  description:
    'Takes effect with the next request. Whoever has no account yet, or whose id is not known, joins by invitation. ' +
    'The last owner stays one: somebody else must become owner first.',
  tag: 'people',
  role: 'owner',
  params: MemberParams,
  body: Closed({ role: ROLE, meter_ids: MeterIdsInput }),
  response: { 201: Member, 200: Member },
  errors: ['forbidden', 'not_found', 'last_owner'],
});

export const removeMember = contract({
  name: 'removeMember',
  method: 'DELETE',
  url: '/api/properties/:property_id/users/:user_id',
  summary: 'Remove a member; everybody may leave by removing themselves',
  description:
    'Owners remove anybody, others themselves only. What the member recorded stays. The last owner stays: somebody ' +
    'else must become owner first.',
  tag: 'people',
  role: 'tenant',
  params: MemberParams,
  response: { 204: Type.Null() },
  errors: ['forbidden', 'not_found', 'last_owner'],
});

const INVITED = {
  id: Id,
  property_id: Id,
  email: Nullable(Type.String()),
  role: ROLE,
  meter_ids: Nullable(MeterIds),
  invited_by_user_id: Id,
  created_at: Instant,
  expires_at: Instant,
};

export const Invitation = Type.Object(INVITED, { $id: 'Invitation' });
export type Invitation = Static<typeof Invitation>;

export const NewInvitation = Type.Object(
  {
    ...INVITED,
    token: Type.String({ description: 'Shown this once: only its hash is kept' }),
    link: Type.String({ description: 'What to send: PUBLIC_URL, or a path where that is not set' }),
  },
  { $id: 'NewInvitation' },
);
export type NewInvitation = Static<typeof NewInvitation>;

export const createInvitation = contract({
  name: 'createInvitation',
  method: 'POST',
  url: '/api/properties/:property_id/invitations',
  summary: 'Invite somebody to a property by a link that works once',
  description:
    'Whoever has the link may accept, once, so send it to nobody else; `email` notes whom it was meant for, and ' +
    'the link is mailed there if the server has a mail server. It is ' +
    'void as soon as who made it is no owner any more.',
  tag: 'people',
  role: 'owner',
  params: PropertyParams,
  body: Closed({
    email: Type.Optional(
      Nullable(
        Type.String({
          maxLength: 254,
          pattern: '^[^\\s@\\p{Cc}\\p{Cs}]+@[^\\s@\\p{Cc}\\p{Cs}]+\\.[^\\s@\\p{Cc}\\p{Cs}]+$',
          description: 'An email address',
        }),
      ),
    ),
    role: ROLE,
    meter_ids: MeterIdsInput,
    expires_in_days: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 30, default: DEFAULT_EXPIRES_IN_DAYS }),
    ),
  }),
  response: { 201: NewInvitation },
  errors: ['forbidden', 'not_found'],
});

export const listInvitations = contract({
  name: 'listInvitations',
  method: 'GET',
  url: '/api/properties/:property_id/invitations',
  summary: 'The invitations that can still be accepted, newest first',
  tag: 'people',
  role: 'owner',
  params: PropertyParams,
  query: Closed(Page),
  response: { 200: List(Invitation) },
  errors: ['forbidden', 'not_found'],
});

export const revokeInvitation = contract({
  name: 'revokeInvitation',
  method: 'DELETE',
  url: '/api/properties/:property_id/invitations/:invitation_id',
  summary: 'Revoke an invitation that nobody has accepted yet',
  tag: 'people',
  role: 'owner',
  params: Type.Object({ property_id: Id, invitation_id: Id }),
  response: { 204: Type.Null() },
  errors: ['forbidden', 'not_found'],
});

const TokenParams = Type.Object({ token: Type.String({ minLength: 1, maxLength: 200 }) });
const REFUSED = ['not_found', 'invitation_used', 'invitation_expired', 'invitation_revoked'] as const;

export const getInvitation = contract({
  name: 'getInvitation',
  method: 'GET',
  url: '/api/invitations/:token',
  summary: 'What an invitation is to, for whoever has its link',
  tag: 'people',
  public: true,
  params: TokenParams,
  response: {
    200: Type.Object({
      property_name: Type.String(),
      role: ROLE,
      invited_by: Type.String({ description: 'Username of who invites' }),
      expires_at: Instant,
    }),
  },
  errors: REFUSED,
});

export const acceptInvitation = contract({
  name: 'acceptInvitation',
  method: 'POST',
  url: '/api/invitations/:token/accept',
  summary: 'Accept an invitation: the caller joins the property',
  description:
    'Works once. Somebody who is a member already stays what they are (409): an owner changes roles directly.',
  tag: 'people',
  params: TokenParams,
  response: { 201: Member },
  errors: [...REFUSED, 'already_member'],
});
