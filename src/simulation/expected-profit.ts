/**
 * What a customer, and an offer to one, is expected to bring in the long run: the margins of the orders to come while the
 * customer stays, and what the offer changes about them, less its costs. An oracle decides by it.
 */
import { DISCOUNTS } from '../domain/offer.ts';
import { offerCost } from '../offers/cost.ts';
import { DISCOUNTS_OFF, ordinaryDiscountShare } from './basket.ts';
import { YEAR_DAYS } from './calendar.ts';
import { DAMAGED_RETURN_SHARE } from './consequences.ts';
import { WEEK_DAYS } from './departure.ts';
import { fadingWeeks, overResponses, ownOrderProbability, staying } from './expected-effects.ts';
import { FADING_ORDER_SHARE, isActive, type Journey } from './journey.ts';
import { responseTo, type SimulatedOffer } from './offer-effects.ts';
import { ECONOMICS } from './redemption.ts';
import { CATEGORY_TASTE, ITEM_TASTE } from './taste-sampler.ts';
import { dotAt, TASTE_DIMENSIONS } from './vectors.ts';

/** Of one line picked by taste, minor units: its value and what is left of its margin after usual discounts and returns. */
export type ExpectedLine = { valueMinor: number; marginMinor: number };

export type ExpectedBasket = {
  line: ExpectedLine;
  /** The same within each category, and P(a pick falls into it). */
  byCategory: readonly (ExpectedLine & { share: number })[];
  /** Lines of an order. */
  lines: number;
  /** Share of the price that usual discounts take off. */
  usualDiscount: number;
};

/** Months are weighed alike, and what is owned or not sold is picked all the same: a few per cent of error. */
export function expectedBasket({ shop, traits }: Journey): ExpectedBasket {
  const { catalogue } = shop;
  const usualDiscount = ordinaryDiscountShare(traits) * DISCOUNTS_OFF;
  const kept = 1 - traits.channelShares[1] * 0.7;
  const byCategory: (ExpectedLine & { share: number })[] = [];
  let total = 0;
  for (let c = 0; c < catalogue.categories.length; c++) {
    const { size, returnShare } = catalogue.categories[c]!;
    const share =
      size * Math.exp(CATEGORY_TASTE * dotAt(traits.taste, catalogue.categoryCentres, c * TASTE_DIMENSIONS));
    total += share;
    const returned = returnShare * kept + DAMAGED_RETURN_SHARE;
    let weights = 0;
    let value = 0;
    let margin = 0;
    for (let i = catalogue.categoryStarts[c]!; i < catalogue.categoryStarts[c + 1]!; i++) {
      const item = catalogue.items[i]!;
      const weight =
        item.popularity *
        Math.exp(ITEM_TASTE * dotAt(traits.taste, catalogue.itemFactors, i * TASTE_DIMENSIONS));
      const quantity = item.gapDays > 0 ? 1.3 : 1.03;
      weights += weight;
      value += weight * quantity * item.priceMinor * (1 - usualDiscount);
      margin += weight * quantity * (item.marginMinor - usualDiscount * item.priceMinor) * (1 - returned);
    }
    byCategory.push({ share, valueMinor: value / weights, marginMinor: margin / weights });
  }
  const line = { valueMinor: 0, marginMinor: 0 };
  for (const category of byCategory) {
    category.share /= total;
    line.valueMinor += category.share * category.valueMinor;
    line.marginMinor += category.share * category.marginMinor;
  }
  return { line, byCategory, lines: 1 + traits.extraPicks, usualDiscount };
}

/** What habits that are yet to be taken up add to the margins of a year, in the mean of simulated customers. */
const HABITS_TO_COME = 1.25;

/** Margin that the customer's own orders bring in a week of mean season. */
function weeklyMarginMinor(journey: Journey, basket: ExpectedBasket): number {
  const { traits, habits, shop } = journey;
  let daily = (traits.ordersPerYear / YEAR_DAYS) * basket.lines * basket.line.marginMinor;
  for (const { item, quantity, gapDays } of habits)
    daily += (quantity * shop.catalogue.items[item]!.marginMinor) / gapDays;
  return HABITS_TO_COME * daily * WEEK_DAYS;
}

/** Margins to come within so many weeks, if no offer is made any more. */
export function expectedMarginMinor(
  journey: Journey,
  basket: ExpectedBasket,
  at: number,
  weeks: number,
): number {
  if (!isActive(journey)) return 0;
  return weeklyMarginMinor(journey, basket) * weeksToCome(journey, at, weeks, NOTHING);
}

const NOTHING = { irritation: 0, caredFor: 0, orders: 0, wonBack: false };

/** Weeks of usual shopping to come. */
function weeksToCome(journey: Journey, at: number, weeks: number, turn: typeof NOTHING): number {
  if (journey.phase === 'fading' && !turn.wonBack)
    return FADING_ORDER_SHARE * Math.min(weeks, fadingWeeks(journey, at));
  return staying(journey, turn, weeks).weeks;
}

/** What making the offer changes about the profit of the weeks to come, minor units; `contactCostMinor` is that of the message. */
export function expectedOfferValueMinor(
  journey: Journey,
  basket: ExpectedBasket,
  simulated: SimulatedOffer,
  { at, weeks, contactCostMinor }: { at: number; weeks: number; contactCostMinor: number },
): number {
  const { benefit, redeemWithinDays, minBasketMinor } = simulated.offer;
  const response = responseTo(journey, simulated, at);
  const costs = contactCostMinor + offerCost(benefit, 0, 0, ECONOMICS).whenMade;
  if (!isActive(journey)) return -costs;

  const persuadedBasket = persuadedOrder(journey, basket, simulated);
  const persuadedMargin =
    persuadedBasket.marginMinor -
    costOn(simulated, persuadedBasket.aboutMinor, persuadedBasket.valueMinor, minBasketMinor);
  const own = ownOrderProbability(journey, redeemWithinDays, response.irritation);
  const [aboutMinor, aboutShare] = ownLinesAbout(basket, simulated);
  const ownMinor = basket.lines * basket.line.valueMinor;
  const ownCost = aboutShare * costOn(simulated, aboutMinor, ownMinor, minBasketMinor);
  const orders =
    response.persuaded * persuadedMargin - (1 - response.persuaded) * response.uses * own * ownCost;

  const weekly = weeklyMarginMinor(journey, basket);
  const stays = (turn: typeof NOTHING) => weekly * weeksToCome(journey, at, weeks, turn);
  const kept = overResponses(journey, response, stays) - stays(NOTHING);
  return response.seen * orders + kept - costs;
}

function costOn(
  { offer }: SimulatedOffer,
  aboutMinor: number,
  orderMinor: number,
  minBasketMinor: number | undefined,
): number {
  // Roughly the share of orders that are large enough: values spread about their mean like an exponential.
  const large = minBasketMinor === undefined ? 1 : Math.exp(-minBasketMinor / Math.max(1, orderMinor));
  const { benefit } = offer;
  // A fixed sum never takes more than the order is worth.
  const about = DISCOUNTS.has(benefit.kind) ? aboutMinor : 0;
  return large * offerCost(benefit, about, orderMinor, ECONOMICS).whenAccepted;
}

/**
 * The order that an offer brings: its first line is of what the offer is about; of a bundle, all of it comes first, and nobody
 * sends it back.
 */
function persuadedOrder(
  { shop }: Journey,
  basket: ExpectedBasket,
  { categories, items }: SimulatedOffer,
): ExpectedLine & { aboutMinor: number } {
  const { line, lines, byCategory, usualDiscount } = basket;
  if (items.length > 0) {
    let price = 0;
    let margin = 0;
    for (const item of items) {
      const { priceMinor, marginMinor } = shop.catalogue.items[item]!;
      price += priceMinor;
      margin += marginMinor - usualDiscount * priceMinor;
    }
    const aboutMinor = price * (1 - usualDiscount);
    return {
      valueMinor: aboutMinor + (lines - 1) * line.valueMinor,
      marginMinor: margin + (lines - 1) * line.marginMinor,
      aboutMinor,
    };
  }
  if (categories.length === 0) {
    const valueMinor = lines * line.valueMinor;
    return { valueMinor, marginMinor: lines * line.marginMinor, aboutMinor: valueMinor };
  }
  let value = 0;
  let margin = 0;
  for (const c of categories) {
    value += byCategory[c]!.valueMinor / categories.length;
    margin += byCategory[c]!.marginMinor / categories.length;
  }
  return {
    valueMinor: value + (lines - 1) * line.valueMinor,
    marginMinor: margin + (lines - 1) * line.marginMinor,
    aboutMinor: value,
  };
}

/** Of an order of the customer's own: the value of the lines that the offer is about, where there is one, and P(there is one). */
function ownLinesAbout(basket: ExpectedBasket, { categories }: SimulatedOffer): [number, number] {
  const { line, lines, byCategory } = basket;
  if (categories.length === 0) return [lines * line.valueMinor, 1];
  let share = 0;
  let value = 0;
  for (const c of categories) {
    share += byCategory[c]!.share;
    value += byCategory[c]!.share * byCategory[c]!.valueMinor;
  }
  const any = 1 - Math.exp(-share * lines);
  return [any > 0 ? (value * lines) / any : 0, any];
}
