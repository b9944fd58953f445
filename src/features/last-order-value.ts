import { eventValueMinor } from '../domain/event.ts';
import { anyNumber, type Feature, startsOrder } from './feature.ts';

/** What the last order was worth, in minor units, before returns; 0 for somebody who never ordered. */
export const lastOrderValue = {
  name: 'lastOrderValue',
  slots: ['valueMinor', 'occurredAt'],
  outputs: ['lastOrderValueMinor'],
  ranges: { lastOrderValueMinor: anyNumber },
  update(state, event, record) {
    if (event.type !== 'purchase' || event.occurredAt < state[1]!) return;
    const value = eventValueMinor(event);
    // A basket may come as several purchases of one order.
    state[0] = startsOrder(event, record) ? value : state[0]! + value;
    state[1] = event.occurredAt;
  },
  value(state, _now, out, at) {
    out[at] = state[0]!;
  },
  unknown: (state) => (state[1]! > 0 ? [] : ['lastOrderValueMinor']),
} as const satisfies Feature;
