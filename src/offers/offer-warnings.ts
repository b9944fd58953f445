/**
 * What is taken as it is, and yet may be a slip of the pen: names in an offer that nothing else knows, sizes that are rarely meant,
 * bounds that nobody is within, a change that its budget forgets by.
 */
import { CONTACT_CHANNELS } from '../domain/decision-policy.ts';
import type { Benefit, Offer } from '../domain/offer.ts';
import { type Rule, ruleNodes } from '../domain/rule.ts';
import { RFM_SEGMENTS } from '../domain/segments.ts';
import { NOTHING_TO_REDEEM } from './redeemable-until.ts';

export type OfferWarning = { offerId: string; path: string; message: string };

/** What an offer was before, and when it is saved, milliseconds since 1970. */
export type Saving = {
  before: Offer | undefined;
  now: number;
  /** Of the period of its budget that runs, reserved or spent; absent: nothing is known of it. */
  taken?: { amountMinor: number; count: number } | undefined;
};

/** Least and greatest value of a feature, both included. */
export type FeatureRange = { range: readonly [least: number, most: number]; alwaysKnown: boolean };

/** What the shop has by now, apart from the offers in question. */
export type KnownNames = {
  hasItem: (itemId: string) => boolean;
  hasCategory: (category: string) => boolean;
  /** What a feature may be, and whether it is known of everybody; undefined: nothing can be said. */
  rangeOf: (feature: string) => FeatureRange | undefined;
  /** That other offers name; none: nothing can be said of one. */
  placements: ReadonlySet<string>;
};

/** An offer of a thousand wrong items has one fault, not a thousand. */
const warningsMax = 10;
const namesTold = 10;

export function offerWarnings(
  offer: Offer,
  { hasItem, hasCategory, rangeOf, placements }: KnownNames,
  { before, now, taken }: Saving,
): OfferWarning[] {
  const warnings: OfferWarning[] = [];
  const { offerId } = offer;
  const warn = (path: string, message: string) => warnings.push({ offerId, path, message });
  for (const [at, itemId] of offer.itemIds.entries())
    if (!hasItem(itemId))
      warn(
        `itemIds[${at}]`,
        offer.itemIds.some(hasItem)
          ? `${itemId} is not in the catalogue: the offer counts without it`
          : `${itemId} is not in the catalogue, and so is no item of the offer: it is not made until one is`,
      );
  for (const [at, category] of offer.categories.entries())
    if (!hasCategory(category)) warn(`categories[${at}]`, `no item of the catalogue is of ${category}`);
  for (const [at, placement] of offer.placements.entries())
    if (placements.size > 0 && !placements.has(placement))
      warn(
        `placements[${at}]`,
        `no other offer names ${placement}; named are ${[...placements].sort().slice(0, namesTold).join(', ')}`,
      );
  if (offer.benefit.kind === 'gift' && offer.benefit.itemId !== undefined && !hasItem(offer.benefit.itemId))
    warn(
      'benefit.itemId',
      `${offer.benefit.itemId} is not in the catalogue: the gift is not promised until it is`,
    );
  const size = unusualSize(offer.benefit, offer.minBasketMinor);
  if (size !== undefined) warn(size.path, size.message);
  for (const { rule, path } of offer.eligibility === undefined ? [] : ruleNodes(offer.eligibility)) {
    const bounds = unusualBounds(rule, rangeOf);
    if (bounds !== undefined) warn(['eligibility', ...path].join('.'), bounds);
    for (const apart of boundsApart(rule.all ?? [])) warn(['eligibility', ...path, 'all'].join('.'), apart);
    if (rule.attribute === 'segment')
      for (const name of [...(rule.in ?? []), ...(rule.notIn ?? [])])
        if ((RFM_SEGMENTS as readonly string[]).includes(name))
          warn(
            ['eligibility', ...path].join('.'),
            `the attribute segment is the shop's own; the RFM segment ${name} is asked by {"score":"rfmSegment","in":["${name}"]}`,
          );
  }
  // Who ends an offer that is out means it.
  if (before === undefined && offer.validTo !== undefined && Date.parse(offer.validTo) <= now)
    warn('validTo', 'is in the past: the offer is made to nobody');
  const [was, is] = [before?.budget?.period, offer.budget?.period];
  if (was !== undefined && is !== undefined && was !== is)
    warn(
      'budget.period',
      `was ${was}: a new budget begins, in which what is out and spent by the ${was} one does not count`,
    );
  const pages = offer.channels.filter((channel) => !CONTACT_CHANNELS.has(channel));
  if (
    offer.budget !== undefined &&
    NOTHING_TO_REDEEM.has(offer.benefit.kind) &&
    pages.length > 0 &&
    !offer.caps.some(({ of }) => of === 'made')
  )
    warn(
      'caps',
      `on ${pages.join(', ')} it is made anew with each decision, and takes from its budget each time, for the same customer too: cap it, as by {"of":"made","times":1,"days":30}`,
    );
  for (const limit of ['amountMinor', 'count'] as const) {
    const most = offer.budget?.[limit];
    if (most !== undefined && taken !== undefined && taken[limit] > most)
      warn(
        `budget.${limit}`,
        `${taken[limit]} is reserved or spent already, and may be redeemed: nothing more is made of the offer, but that is not taken back`,
      );
  }
  if (warnings.length <= warningsMax) return warnings;
  const rest = warnings.length - warningsMax;
  return [...warnings.slice(0, warningsMax), { offerId, path: '', message: `and ${rest} more` }];
}

/** A share written where per cent are meant, and a discount that leaves nothing of the least basket. */
function unusualSize(benefit: Benefit, minBasketMinor: number | undefined): Slip | undefined {
  if ((benefit.kind === 'percentOff' || benefit.kind === 'bundle') && benefit.percent < 1)
    return {
      path: 'benefit.percent',
      message: `is ${benefit.percent} of a hundred: ten per cent are written 10, not 0.1`,
    };
  if (benefit.kind === 'amountOff' && minBasketMinor !== undefined && benefit.amountMinor >= minBasketMinor)
    return {
      path: 'benefit.amountMinor',
      message: `is all of the least basket (minBasketMinor ${minBasketMinor}): who buys for that much pays nothing`,
    };
  return undefined;
}

type Slip = { path: string; message: string };

const probability: FeatureRange = { range: [0, 1], alwaysKnown: false };

/** From `least` to `most`; open: without that number itself. */
type Bounds = { least: number; most: number; openBelow: boolean; openAbove: boolean };

function boundsOf({ gt, gte, lt, lte, eq }: Rule): Bounds {
  const least = Math.max(gt ?? -Infinity, gte ?? -Infinity, eq ?? -Infinity);
  const most = Math.min(lt ?? Infinity, lte ?? Infinity, eq ?? Infinity);
  return { least, most, openBelow: least === gt, openAbove: most === lt };
}

function isEmpty({ least, most, openBelow, openAbove }: Bounds): boolean {
  return least > most || (least === most && (openBelow || openAbove));
}

function inBoth(a: Bounds, b: Bounds): Bounds {
  const least = Math.max(a.least, b.least);
  const most = Math.min(a.most, b.most);
  const isOpen = (open: 'openBelow' | 'openAbove', end: 'least' | 'most', at: number) =>
    [a, b].some((bounds) => bounds[open] && bounds[end] === at);
  return {
    least,
    most,
    openBelow: isOpen('openBelow', 'least', least),
    openAbove: isOpen('openAbove', 'most', most),
  };
}

/** Of rules that are to hold together: what each gives bounds to that no number is within, though one is within each. */
function boundsApart(rules: readonly Rule[]): string[] {
  const together = new Map<string, Bounds>();
  for (const rule of rules) {
    const name = rule.feature ?? (rule.score && `the score ${rule.score}`);
    const own = boundsOf(rule);
    if (name === undefined || isEmpty(own)) continue;
    const others = together.get(name);
    together.set(name, others === undefined ? own : inBoth(others, own));
  }
  return [...together]
    .filter(([, bounds]) => isEmpty(bounds))
    .map(([name]) => `no number is within all bounds of ${name}: it holds for nobody`);
}

/** Why nobody, or everybody, is within the bounds of a node; undefined where they divide customers. */
function unusualBounds(rule: Rule, rangeOf: KnownNames['rangeOf']): string | undefined {
  const { feature, score } = rule;
  const bounds = boundsOf(rule);
  const { least, most, openBelow, openAbove } = bounds;
  if (isEmpty(bounds)) return 'no number is within these bounds: it holds for nobody';
  if (feature === undefined && score !== 'churnRisk') return undefined;
  const known = feature === undefined ? probability : rangeOf(feature);
  if (known === undefined) return undefined;
  const [low, high] = known.range;
  const name = feature ?? 'the score churnRisk';
  const range = high === Infinity ? `is never below ${low}` : `lies between ${low} and ${high}`;
  const cure = high === 1 && least > 1 ? `: ${least} of a hundred is written ${least / 100}` : '';
  if (least > high || most < low || (least === high && openBelow) || (most === low && openAbove))
    return `${name} ${range}, so that it holds for nobody${cure}`;
  const isAll =
    (least < low || (least === low && !openBelow)) && (most > high || (most === high && !openAbove));
  // Of what is not known of everybody, bounds that all are within ask whether it is known.
  return isAll && known.alwaysKnown && low !== -Infinity
    ? `${name} ${range}, so that it holds for everybody`
    : undefined;
}
