import type { CustomerValueSettings } from '../../../src/algorithms/customer-value/customer-value-model.ts';

/** A shop where customers buy every three weeks or so. */
export function valueSettings(change: Partial<CustomerValueSettings> = {}): CustomerValueSettings {
  return {
    purchases: { model: 'mbg-nbd', parameters: { r: 1.2, alpha: 25, a: 0.6, b: 4 } },
    spend: { p: 3, q: 4, v: 1500 },
    regularity: 2,
    horizonDays: 365,
    annualDiscountRate: 0.1,
    margins: { assumedShare: 0.3, known: new Map() },
    thresholds: {
      recencyDays: [10, 30, 60, 120],
      errands: [2, 4, 8],
      marginMinor: [500, 1000, 2000, 5000],
      valueMinor: [1000, 4000, 9000],
      risk: [0.3, 0.6, 0.9],
    },
    ...change,
  };
}
