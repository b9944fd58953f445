/** The receipt of an erasure that found nothing; what a test is about is its own. */
import type { UnsignedReceipt } from '../../src/domain/erasure.ts';

export function makeReceipt(
  receipt: Pick<UnsignedReceipt, 'receiptId' | 'customerHash'> & Partial<UnsignedReceipt>,
  completedAt: number,
): UnsignedReceipt {
  const at = new Date(completedAt).toISOString();
  return {
    requestedAt: at,
    dueAt: at,
    completedAt: at,
    erased: {},
    spent: [],
    verification: { at, found: {}, total: 0 },
    returned: false,
    models: [],
    persistence: [],
    ...receipt,
  };
}
