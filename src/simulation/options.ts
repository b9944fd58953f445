/** What a simulated shop is made of: the same options give the same shop, byte for byte. */

import { z } from 'zod';
import { dayMs } from '../domain/time.ts';

export const SimulationOptions = z.strictObject({
  /** Customers who ever come, spread over the days. */
  customers: z.int().min(1).max(50_000_000).default(3000),
  /** Products in the catalogue. */
  items: z.int().min(1).max(200_000).default(500),
  /** Length of the history. */
  days: z.int().min(1).max(3650).default(540),
  /** Last weeks of the history in which each customer gets an offer drawn at random, or none, and the draw is logged. */
  offerWeeks: z.int().min(0).max(520).default(12),
  seed: z.int().min(0).max(Number.MAX_SAFE_INTEGER).default(1),
  /** Last day of the history, `YYYY-MM-DD` (UTC); everything happens before its midnight. */
  end: z.iso.date().refine((text) => text >= '1990-01-01' && text <= '2200-01-01', {
    message: 'must be a day from 1990-01-01 to 2200-01-01',
  }),
});
export type SimulationOptions = z.output<typeof SimulationOptions>;

/** The span of the history, milliseconds since 1970: from its first midnight to just after its last day. */
export function simulatedSpan(options: SimulationOptions): { startAt: number; endAt: number } {
  const endAt = Date.parse(`${options.end}T00:00:00Z`) + dayMs;
  return { startAt: endAt - options.days * dayMs, endAt };
}
