import { eventValueMinor } from '../domain/event.ts';
import { anyNumber, type Feature, share, startsOrder } from './feature.ts';

/** Spend in minor units before returns, its mean over orders (0 without orders), and what came back: returns and their share of spend. */
export const monetary = {
  name: 'monetary',
  slots: ['orders', 'spendMinor', 'returns', 'returnedMinor'],
  outputs: ['totalSpendMinor', 'averageOrderValueMinor', 'returnCount', 'returnShare'],
  ranges: { totalSpendMinor: anyNumber, averageOrderValueMinor: anyNumber, returnShare: share },
  update(state, event, record) {
    if (startsOrder(event, record)) state[0]! += 1;
    if (event.type === 'purchase') state[1]! += eventValueMinor(event);
    if (event.type === 'return') {
      state[2]! += 1;
      state[3]! += eventValueMinor(event);
    }
  },
  value(state, _now, out, at) {
    const orders = state[0]!;
    const spend = state[1]!;
    const returns = state[2]!;
    const returned = state[3]!;
    out[at] = spend;
    out[at + 1] = orders > 0 ? spend / orders : 0;
    out[at + 2] = returns;
    // A return may precede its purchase in what was imported: the share stays a share.
    out[at + 3] = spend > 0 ? Math.min(1, Math.max(0, returned / spend)) : 0;
  },
} as const satisfies Feature;
