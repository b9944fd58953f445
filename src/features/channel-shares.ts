import { CHANNELS } from '../domain/channel.ts';
import { type Feature, share, startsOrder } from './feature.ts';

/** Share of the orders that came through each channel; all 0 without orders. */
export const channelShares = {
  name: 'channelShares',
  slots: CHANNELS.map((channel) => `${channel}Orders`),
  outputs: CHANNELS.map((channel) => `${channel}Share`),
  ranges: Object.fromEntries(CHANNELS.map((channel) => [`${channel}Share`, share])),
  update(state, event, record) {
    if (startsOrder(event, record)) state[CHANNELS.indexOf(event.channel)]! += 1;
  },
  value(state, _now, out, at) {
    let orders = 0;
    for (let c = 0; c < CHANNELS.length; c++) orders += state[c]!;
    for (let c = 0; c < CHANNELS.length; c++) out[at + c] = orders > 0 ? state[c]! / orders : 0;
  },
} as const satisfies Feature;
