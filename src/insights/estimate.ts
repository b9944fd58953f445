/** A figure, the customers behind it, and how sure it is. */
import { z } from 'zod';
import { normalInterval, npsInterval, wilsonInterval } from '../algorithms/proportion-interval.ts';

export const Estimate = z
  .object({
    /** Customers that the figure is taken over. */
    customers: z.int().min(0),
    /** null: there are no such customers, or it cannot be known of them yet. */
    value: z.number().nullable(),
    /** Ends of the 95 % interval; null: too few customers for one. */
    low: z.number().nullable(),
    high: z.number().nullable(),
  })
  .meta({ id: 'Estimate' });
export type Estimate = z.output<typeof Estimate>;

export function shareOf(successes: number, customers: number): Estimate {
  return estimate(customers, successes / customers, wilsonInterval(successes, customers));
}

/** Of a value a customer, from its sum and the sum of its squares. */
export function meanOf(customers: number, sum: number, sumOfSquares: number): Estimate {
  const mean = sum / customers;
  // Rounding may make it negative where all are alike.
  const variance = Math.max(0, (sumOfSquares - sum * mean) / (customers - 1));
  return estimate(customers, mean, normalInterval(mean, Math.sqrt(variance), customers));
}

export function npsOf(promoters: number, detractors: number, customers: number): Estimate {
  const value = (100 * (promoters - detractors)) / customers;
  return estimate(customers, value, npsInterval(promoters, detractors, customers));
}

export function estimate(
  customers: number,
  value: number,
  bounds: { low: number; high: number } | null,
): Estimate {
  if (customers === 0) return unknownOf(customers);
  return { customers, value, low: bounds?.low ?? null, high: bounds?.high ?? null };
}

export function unknownOf(customers: number): Estimate {
  return { customers, value: null, low: null, high: null };
}
