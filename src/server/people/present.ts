import type { Member } from '../../contract/people.ts';
import { formatInstant } from '../../core/time.ts';
import type { MemberRow } from './store.ts';

export function readMeterIds(meter_ids: string | null): number[] | null {
  return meter_ids === null ? null : (JSON.parse(meter_ids) as number[]);
}

export function presentMember({ user_id, username, role, meter_ids, created_at }: MemberRow): Member {
  const since = formatInstant(created_at);
  return { user_id, username, role, meter_ids: readMeterIds(meter_ids), since };
}
