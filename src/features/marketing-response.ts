import { addFading, fadingCount } from './fading-count.ts';
import { type Feature, NEVER, share } from './feature.ts';

const halfLifeDays = 90;
/** Two messages of which half was opened and a tenth clicked: the shares of who got few stay near what is usual. */
const priorSent = 2;
const priorOpened = 1;
const priorClicked = 0.2;

/** Where each count begins among the slots. */
const sentAt = 0;
const openedAt = 2;
const clickedAt = 4;
const unsubscribed = 6;

/**
 * Messages of marketing of late (each counts 1 and halves in every 90 days), the shares of them that were opened and
 * clicked, and how often the customer unsubscribed. Shares begin at 0.5 and 0.1.
 */
export const marketingResponse = {
  name: 'marketingResponse',
  slots: ['sent', 'sentAt', 'opened', 'openedAt', 'clicked', 'clickedAt', 'unsubscribed'],
  outputs: ['recentMessages', 'messageOpenShare', 'messageClickShare', 'unsubscribeCount'],
  ranges: { messageOpenShare: share, messageClickShare: share },
  init(state) {
    for (const slot of [sentAt, openedAt, clickedAt]) state[slot + 1] = NEVER;
  },
  update(state, event) {
    if (event.type !== 'marketingContact') return;
    if (event.outcome === 'sent') addFading(state, sentAt, event.occurredAt, halfLifeDays);
    if (event.outcome === 'opened') addFading(state, openedAt, event.occurredAt, halfLifeDays);
    if (event.outcome === 'clicked') addFading(state, clickedAt, event.occurredAt, halfLifeDays);
    if (event.outcome === 'unsubscribed') state[unsubscribed]! += 1;
  },
  value(state, now, out, at) {
    const sent = fadingCount(state, sentAt, now, halfLifeDays);
    const share = (slot: number, prior: number) =>
      Math.min(1, (fadingCount(state, slot, now, halfLifeDays) + prior) / (sent + priorSent));
    out[at] = sent;
    out[at + 1] = share(openedAt, priorOpened);
    out[at + 2] = share(clickedAt, priorClicked);
    out[at + 3] = state[unsubscribed]!;
  },
  unknown: (state) => (state[sentAt + 1] === NEVER ? ['messageOpenShare', 'messageClickShare'] : []),
} as const satisfies Feature;
