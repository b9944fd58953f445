/**
 * What a reason of a churn risk is called: groups of inputs that are one thing to a person, each with what a clerk would say of
 * it.
 */
import { DERIVED_INPUTS } from '../algorithms/churn-inputs.ts';
import { CHANNELS, type Channel, LOYALTY_TIERS } from '../domain/channel.ts';

/** A feature of the customer, by its name; 0 where there is none of that name. */
export type FeatureValue = (name: string) => number;
export type ReasonGroup = {
  lead: string;
  /** Other features, and inputs derived from several. */
  others: readonly string[];
  /** `raises`: this moves the risk up; what is said must not read as if it moved it the other way. */
  say: (value: FeatureValue, raises: boolean) => string;
};

const CHANNEL_WORDS: Readonly<Record<Channel, string>> = {
  web: 'on the web',
  store: 'in the store',
  app: 'in the app',
  email: 'by e-mail',
  phone: 'by phone',
};

const GROUPS: readonly ReasonGroup[] = [
  {
    lead: 'daysSinceLastOrder',
    others: [
      'gapMeanDays',
      'gapSpreadDays',
      'overdueRatio',
      'hasUsualGap',
      'lastGapDays',
      'gapLogMean',
      'gapLogSpread',
      'firstToLastOrderDays',
      'mbgNbdLogit',
      'paretoNbdLogit',
      'mbgNbdAliveLogit',
      'paretoNbdAliveLogit',
    ],
    say: (value, raises) => {
      const last = `last order ${ago(value('daysSinceLastOrder'))}`;
      if (value('repeatErrands') < 1) return `ordered once, ${ago(value('daysSinceLastOrder'))}`;
      const isOverdue = value('daysSinceLastOrder') > value('gapMeanDays');
      // A long gap raises the risk of who has just been here, a short one lowers that of who is late.
      const gap = isOverdue === raises ? 'every' : raises ? 'only every' : 'as often as every';
      return `usually orders ${gap} ${days(value('gapMeanDays'))}, ${last}`;
    },
  },
  {
    lead: 'purchaseCount',
    others: ['repeatErrands', 'expectedOrders'],
    say: (value) => `has ordered ${times(value('purchaseCount'))}`,
  },
  {
    lead: 'recentErrands90',
    others: [
      'recentErrands30',
      'recentErrands360',
      'expectedOrders30',
      'expectedOrders90',
      'expectedOrders360',
    ],
    say: (value) => {
      if (value('repeatErrands') < 1) return 'has not ordered a second time yet';
      // Both are what the customer's even pace since the first order would make 1.
      const pace = paceOfLate(value);
      if (pace < 0.67) return 'orders less often of late than before';
      if (pace > 1.5) return 'orders more often of late than before';
      return 'orders as often of late as before';
    },
  },
  {
    lead: 'daysSinceFirstOrder',
    others: ['tenureDays'],
    say: (value) => `customer for ${span(Math.max(value('daysSinceFirstOrder'), value('tenureDays')))}`,
  },
  {
    lead: 'averageOrderValueMinor',
    others: ['totalSpendMinor', 'lastOrderValueMinor'],
    say: (value) => {
      const [usual, last] = [value('averageOrderValueMinor'), value('lastOrderValueMinor')];
      if (usual <= 0) return 'has spent nothing';
      const ratio = last / usual;
      if (value('purchaseCount') > 1 && ratio < 0.67) return 'the last order was smaller than usual';
      if (value('purchaseCount') > 1 && ratio > 1.5) return 'the last order was larger than usual';
      return `spends ${amount(usual)} an order on average`;
    },
  },
  {
    lead: 'returnShare',
    others: ['returnCount'],
    say: (value) =>
      value('returnCount') > 0
        ? `sent back ${percent(value('returnShare'))} of what was bought`
        : 'has sent nothing back',
  },
  {
    lead: 'topCategoryShare',
    others: ['categoryCount'],
    say: (value) =>
      value('categoryCount') > 0
        ? `buys from ${count(value('categoryCount'), 'category', 'categories')}`
        : value('purchaseCount') > 0
          ? // Of the data, not of the customer: whoever reads it can mend it.
            'bought nothing whose category is known: is it missing in the catalogue?'
          : 'has bought from no category yet',
  },
  {
    lead: 'discountShare',
    others: [],
    say: (value) =>
      value('discountShare') > 0.005
        ? `bought at ${percent(value('discountShare'))} off on average`
        : 'has bought at full price',
  },
  {
    lead: `${CHANNELS[0]}Share`,
    others: CHANNELS.slice(1).map((channel) => `${channel}Share`),
    say: (value) => {
      const shares = CHANNELS.map((channel) => ({ channel, share: value(`${channel}Share`) }));
      const most = shares.reduce((best, one) => (one.share > best.share ? one : best));
      return most.share > 0
        ? `orders mostly ${CHANNEL_WORDS[most.channel]}`
        : 'orders through no channel that we know of';
    },
  },
  {
    lead: 'lastRating',
    others: ['meanRating', 'ratingCount'],
    say: (value) =>
      value('ratingCount') > 0 ? `last rated us ${value('lastRating')} of 5` : 'has never rated us',
  },
  {
    lead: 'lastNps',
    others: ['npsCount'],
    say: (value) =>
      value('npsCount') > 0
        ? `would recommend us with ${value('lastNps')} of 10`
        : 'was never asked whether to recommend us',
  },
  {
    lead: 'openComplaints',
    others: ['complaintCount'],
    say: (value) => {
      if (value('openComplaints') > 0) return `has ${count(value('openComplaints'), 'open complaint')}`;
      if (value('complaintCount') > 0) return `complained ${times(value('complaintCount'))}, all resolved`;
      return 'has never complained';
    },
  },
  {
    lead: 'contactCount',
    others: ['recentContacts'],
    say: (value) =>
      value('contactCount') > 0
        ? `got in touch ${times(value('contactCount'))} without a complaint`
        : 'has had no question for us',
  },
  {
    lead: 'lateDeliveryCount',
    others: ['lateDeliveryShare', 'recentLateDeliveries'],
    say: (value) =>
      value('lateDeliveryCount') > 0
        ? `had ${count(value('lateDeliveryCount'), 'late delivery', 'late deliveries')}`
        : 'had no late delivery',
  },
  {
    lead: 'daysSinceLastVisit',
    others: ['visitsPerWeek', 'visitTrend'],
    say: (value) => {
      if (value('visitsPerWeek') <= 0) return 'was never seen to look around';
      const visit = `last visit ${ago(value('daysSinceLastVisit'))}`;
      if (value('visitTrend') < 0.67) return `visits less often than before, ${visit}`;
      if (value('visitTrend') > 1.5) return `visits more often than before, ${visit}`;
      return visit;
    },
  },
  {
    lead: 'loyaltyTier',
    others: [],
    say: (value) => {
      const tier = LOYALTY_TIERS[Math.round(value('loyaltyTier'))] ?? 'none';
      return tier === 'none' ? 'has no loyalty tier' : `has the loyalty tier ${tier}`;
    },
  },
  {
    lead: 'pointsBalance',
    others: ['pointsRedeemedShare', 'daysSincePointsRedeemed'],
    say: (value) =>
      value('daysSincePointsRedeemed') > 0
        ? `redeemed points ${ago(value('daysSincePointsRedeemed'))}`
        : value('pointsBalance') > 0
          ? `has ${count(value('pointsBalance'), 'loyalty point')} and has redeemed none`
          : 'collects no loyalty points',
  },
  {
    lead: 'offersRedeemed',
    others: ['offersDismissed'],
    say: (value) => {
      if (value('offersRedeemed') > 0) return `redeemed ${count(value('offersRedeemed'), 'offer')}`;
      if (value('offersDismissed') > 0) return `dismissed ${count(value('offersDismissed'), 'offer')}`;
      return 'has answered no offer';
    },
  },
  {
    lead: 'communityCount',
    others: ['recentCommunity', 'referralCount'],
    say: (value) => {
      if (value('referralCount') > 0) return `brought us ${count(value('referralCount'), 'new customer')}`;
      return value('communityCount') > 0
        ? `took part in our community ${times(value('communityCount'))}`
        : 'has not taken part in our community';
    },
  },
  {
    lead: 'messageOpenShare',
    others: ['recentMessages', 'messageClickShare', 'unsubscribeCount'],
    say: (value) => {
      if (value('unsubscribeCount') > 0) return 'unsubscribed from our messages';
      if (value('recentMessages') < 0.5) return 'got no message of late';
      return `opens ${percent(value('messageOpenShare'))} of our messages`;
    },
  },
];

const groupsByInput = new Map(
  GROUPS.flatMap((group) => [group.lead, ...group.others].map((name) => [name, group])),
);

/** Of an input that belongs to none, a group of its own. */
export function groupOf(input: string): ReasonGroup {
  const unnamed = (value: FeatureValue) => `${input} is ${Number(value(input).toPrecision(3))}`;
  return groupsByInput.get(input) ?? { lead: input, others: [], say: unnamed };
}

/** Inputs of the model that no group speaks for. */
export function inputsWithoutWords(featureNames: readonly string[]): string[] {
  return [...DERIVED_INPUTS, ...featureNames].filter((name) => !groupsByInput.has(name));
}

/** Orders of late over those that the even pace since the first order would make. */
function paceOfLate(value: FeatureValue): number {
  const age = Math.max(1, value('daysSinceFirstOrder'));
  const evenly = ((value('repeatErrands') + 1) / age) * (90 / Math.LN2) * -Math.expm1((-Math.LN2 * age) / 90);
  return value('recentErrands90') / evenly;
}

function days(value: number): string {
  const whole = Math.max(1, Math.round(value));
  return whole === 1 ? 'day' : `${whole} days`;
}

/** Not "today" or "yesterday": where midnight lies for the customer is not known. */
function ago(value: number): string {
  return value < 1 ? 'less than a day ago' : `${count(Math.floor(value), 'day')} ago`;
}

function span(value: number): string {
  if (value < 61) return count(Math.max(1, Math.floor(value)), 'day');
  return value < 2 * 365.25 ? `${Math.floor(value / 30.44)} months` : `${Math.floor(value / 365.25)} years`;
}

function times(value: number): string {
  return value === 1 ? 'once' : `${Math.round(value)} times`;
}

function count(value: number, one: string, many = `${one}s`): string {
  return `${Math.round(value)} ${Math.round(value) === 1 ? one : many}`;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

/** Without the currency, which the shop knows: 4599 is 45.99. */
function amount(minor: number): string {
  return (minor / 100).toFixed(2);
}
