/** What a clerk might do about a cause. The first rule that fits the cause and the customer's features decides. */
import type { CauseKind, Notice } from '../domain/webhook.ts';

/** `marketing`: asks for a purchase, so it needs consent; the others answer for something that went wrong. */
const ACTIONS = {
  call: { text: 'Call the customer today and see the complaint through.', marketing: false },
  apologyVoucher: { text: 'Apologise, ask what went wrong, and send a voucher.', marketing: false },
  deliveryApology: { text: 'Apologise for the late delivery and refund the shipping.', marketing: false },
  replenishmentReminder: { text: 'Remind the customer of what is usually bought by now.', marketing: true },
  secondOrderOffer: { text: 'Make an offer for a second order.', marketing: true },
  winBackOffer: { text: 'Win the customer back with a personal offer.', marketing: true },
} as const satisfies Record<string, { text: string; marketing: boolean }>;

/** `when`: of the record's feature; one that is not known does not fit. */
type Rule = {
  cause: CauseKind;
  when?: { feature: string; atLeast: number } | { feature: string; atMost: number };
  action: keyof typeof ACTIONS;
};

export const ACTION_RULES: readonly Rule[] = [
  { cause: 'complaint', action: 'call' },

  { cause: 'lowRating', when: { feature: 'openComplaints', atLeast: 1 }, action: 'call' },
  { cause: 'lowRating', when: { feature: 'recentLateDeliveries', atLeast: 0.5 }, action: 'deliveryApology' },
  { cause: 'lowRating', action: 'apologyVoucher' },

  { cause: 'churnRisk', when: { feature: 'openComplaints', atLeast: 1 }, action: 'call' },
  { cause: 'churnRisk', when: { feature: 'recentLateDeliveries', atLeast: 0.5 }, action: 'deliveryApology' },
  { cause: 'churnRisk', when: { feature: 'lastRating', atMost: 2 }, action: 'apologyVoucher' },
  { cause: 'churnRisk', when: { feature: 'purchaseCount', atMost: 1 }, action: 'secondOrderOffer' },
  // Up to two gaps late: the customer may just have forgotten. Later, a reminder is not enough.
  { cause: 'churnRisk', when: { feature: 'overdueRatio', atMost: 2 }, action: 'replenishmentReminder' },
  { cause: 'churnRisk', action: 'winBackOffer' },
];

/** `features` by name; null = unknown. */
export function suggestAction(
  cause: CauseKind,
  features: Readonly<Record<string, number | null>>,
): Notice['data']['suggestedAction'] {
  const rule = ACTION_RULES.find(({ cause: of, when }) => of === cause && fits(when, features));
  // Each cause ends with a rule that fits everybody; a test holds it.
  const action = rule?.action ?? 'call';
  return { action, ...ACTIONS[action] };
}

function fits(when: Rule['when'], features: Readonly<Record<string, number | null>>): boolean {
  if (when === undefined) return true;
  const value = features[when.feature] ?? null;
  if (value === null) return false;
  return 'atLeast' in when ? value >= when.atLeast : value <= when.atMost;
}
