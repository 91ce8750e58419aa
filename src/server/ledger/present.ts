import type { Batch } from '../../contract/ledger.ts';
import type { StoredBatch } from '../../core/chain.ts';
import { formatInstant } from '../../core/time.ts';

export function presentBatch({ created_at, source, ...batch }: StoredBatch): Batch {
  const { id, property_id, sequence, recorded_by_user_id, entry_count, merkle_root, hash } = batch;
  return {
    id,
    property_id,
    sequence,
    recorded_by_user_id,
    source: source as Batch['source'],
    created_at: formatInstant(created_at),
    entry_count,
    merkle_root,
    hash,
  };
}
