import type { Batch, ListedBatch } from '../../contract/ledger.ts';
import type { StoredBatch } from '../../core/chain.ts';
import { formatInstant } from '../../core/time.ts';
import type { NamedBatch } from './store.ts';

export function presentBatch({ created_at, source, ...batch }: StoredBatch): Batch {
  const { id, property_id, sequence, recorded_by_user_id, recorded_by_api_key_id } = batch;
  const { entry_count, merkle_root, hash } = batch;
  return {
    id,
    property_id,
    sequence,
    recorded_by_user_id,
    recorded_by_api_key_id,
    source: source as Batch['source'],
    created_at: formatInstant(created_at),
    entry_count,
    merkle_root,
    hash,
  };
}

export function presentListedBatch(batch: NamedBatch): ListedBatch {
  const { recorded_by, recorded_by_api_key } = batch;
  return { ...presentBatch(batch), recorded_by, recorded_by_api_key };
}
