import type { Property } from '../../contract/properties.ts';
import { formatInstant } from '../../core/time.ts';
import { sees } from './access.ts';
import type { MemberProperty } from './store.ts';

export function presentProperty(row: MemberProperty): Property {
  const { id, display_name, address, timezone, currency, is_active, main_meter_id, role, created_at } = row;
  const sees_main = main_meter_id !== null && sees(row, main_meter_id);
  return {
    id,
    display_name,
    address,
    timezone,
    currency,
    is_active: is_active === 1,
    main_meter_id: sees_main ? main_meter_id : null,
    share_totals_with_tenants: row.share_totals_with_tenants === 1,
    role,
    created_at: formatInstant(created_at),
  };
}
