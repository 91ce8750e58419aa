import { type Static, Type } from 'typebox';
import { PropertyParams } from './properties.ts';
import { SOURCES } from './readings.ts';
import { Closed, CursorList, CursorPage, contract, Id, Instant, Nullable, OneOf, Reason } from './schema.ts';

const Hash = Type.String({ description: 'SHA-256, hexadecimal' });

export const Batch = Type.Object(
  {
    id: Id,
    property_id: Id,
    sequence: Type.Integer({ description: '1, 2, 3 … within the property' }),
    recorded_by_user_id: Id,
    recorded_by_api_key_id: Nullable(Id),
    source: OneOf(SOURCES),
    created_at: Instant,
    entry_count: Type.Integer(),
    merkle_root: Hash,
    hash: Hash,
  },
  { $id: 'Batch' },
);
export type Batch = Static<typeof Batch>;

/** A batch as the list shows it: names are no part of the chain, so that people may be forgotten. */
export const ListedBatch = Type.Object(
  {
    ...Batch.properties,
    recorded_by: Type.String({ description: 'Username; "former user" once the account is deleted' }),
    recorded_by_api_key: Nullable(
      Type.String({
        description: 'Name of the key, also of a deleted one; null once the account is deleted',
      }),
    ),
  },
  { $id: 'ListedBatch' },
);
export type ListedBatch = Static<typeof ListedBatch>;

export const listBatches = contract({
  name: 'listBatches',
  method: 'GET',
  url: '/api/properties/:property_id/ledger',
  summary: "The batches of a property's ledger, newest first",
  description:
    'Two heads of the chain are consistent if the batches between them lead from one hash to the other.',
  tag: 'ledger',
  role: 'reader',
  params: PropertyParams,
  query: Closed(CursorPage),
  response: { 200: CursorList(ListedBatch) },
  errors: ['forbidden', 'not_found'],
});

export const Verification = Type.Object(
  {
    property_id: Id,
    verified: Type.Boolean(),
    batches: Type.Integer({ description: 'How many were checked' }),
    entries: Type.Integer({ description: 'How many were checked' }),
    head: Nullable(Type.Object({ sequence: Type.Integer(), hash: Hash })),
    fault: Nullable(
      Type.Object({
        sequence: Type.Integer(),
        batch_id: Nullable(Id),
        entry_id: Nullable(Id),
        detail: Type.String(),
      }),
    ),
  },
  { $id: 'Verification' },
);
export type Verification = Static<typeof Verification>;

export const verifyLedger = contract({
  name: 'verifyLedger',
  method: 'GET',
  url: '/api/properties/:property_id/ledger/verify',
  summary: 'Recompute the chain from its entries, and say where it differs',
  tag: 'ledger',
  role: 'reader',
  params: PropertyParams,
  response: { 200: Verification },
  errors: ['forbidden', 'not_found'],
});

export const exportLedger = contract({
  name: 'exportLedger',
  method: 'GET',
  url: '/api/properties/:property_id/ledger/export',
  summary: 'The proof file: the whole chain, to be verified offline',
  description:
    'NDJSON: a line per batch, followed by one per entry of it, as docs/ledger-format.md describes them.',
  tag: 'ledger',
  role: 'reader',
  limit: 'export',
  params: PropertyParams,
  download: ['application/x-ndjson'],
  response: { 200: Type.Unsafe<unknown>({ type: 'string' }) },
  errors: ['forbidden', 'not_found'],
});

export const undoBatch = contract({
  name: 'undoBatch',
  method: 'POST',
  url: '/api/properties/:property_id/ledger/:batch_id/undo',
  summary: 'Undo a batch: what it recorded is voided, what it corrected is restored; whole or not at all',
  tag: 'ledger',
  role: 'reader',
  params: Type.Object({ property_id: Id, batch_id: Id }),
  body: Closed({ reason: Reason }),
  response: { 201: Batch },
  errors: [
    'forbidden',
    'not_found',
    'batch_superseded',
    'reading_conflict',
    'interval_overlap',
    'meter_inactive',
    'property_inactive',
  ],
});

export const Proof = Type.Object(
  {
    entry: Type.String({ description: "The entry's canonical form" }),
    path: Type.Array(Type.Object({ side: OneOf(['left', 'right']), hash: Hash })),
    previous_hash: Hash,
    batches: Type.Array(Batch, { description: "The entry's batch and every later one, up to the head" }),
  },
  { $id: 'Proof' },
);
export type Proof = Static<typeof Proof>;

export const proveReading = contract({
  name: 'proveReading',
  method: 'GET',
  url: '/api/readings/:reading_id/proof',
  summary: 'Prove that one reading is in the chain, without showing the others',
  tag: 'ledger',
  role: 'tenant',
  params: Type.Object({ reading_id: Id }),
  response: { 200: Proof },
  errors: ['forbidden', 'not_found'],
});
