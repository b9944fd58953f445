/** Of a decision that was answered: why each offer was not made; `made` for those that were. */
import { expect } from 'vitest';
import type { Answer } from './service.ts';

export function offerReasons({ status, body }: Pick<Answer, 'status' | 'body'>): Record<string, string> {
  expect(status).toBe(200);
  const made = body.placements[0].offers.map(({ offerId }: { offerId: string }) => [offerId, 'made']);
  const excluded = body.excluded.map((one: { offerId: string; reasonCode: string }) => [
    one.offerId,
    one.reasonCode,
  ]);
  return Object.fromEntries([...made, ...excluded]);
}
