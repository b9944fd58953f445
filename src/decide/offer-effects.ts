/** What the learned offer model says of offers and a customer, computed where it is asked for. */
import {
  type BoundOffer,
  bindOffer,
  type OfferModel,
  type OfferSubjectNumbers,
  predictEffect,
  readSubject,
} from '../algorithms/offer-model/offer-model.ts';
import type { Channel } from '../domain/channel.ts';
import type { Item } from '../domain/item.ts';
import type { Offer } from '../domain/offer.ts';
import type { CustomerFacts } from '../offers/customer-facts.ts';
import { describeOffer } from '../offers/describe-offer.ts';

/** Offers as each model has them; null: of a kind that it does not know. The catalogue holds a new object when an offer changes. */
const bound = new WeakMap<OfferModel, WeakMap<Offer, BoundOffer | null>>();

/**
 * `CustomerFacts.effectOf` of one customer, who is read at the first offer, once for a channel. Of a guest without a record the
 * model says what it says of somebody new.
 */
export function offerEffects(
  model: OfferModel | undefined,
  items: ReadonlyMap<string, Item>,
  facts: Pick<CustomerFacts, 'features' | 'categoryShares' | 'categoryEvidence'>,
): CustomerFacts['effectOf'] {
  if (model === undefined) return () => undefined;
  let subject: { channel: Channel; numbers: OfferSubjectNumbers } | undefined;
  let interest: { shares: CustomerFacts['categoryShares']; evidence: number } | undefined;
  return (offer, channel) => {
    const known = boundOffer(model, offer, items);
    if (known === null) return undefined;
    if (subject?.channel !== channel)
      subject = { channel, numbers: readSubject(model, facts.features, channel) };
    interest ??= { shares: facts.categoryShares, evidence: facts.categoryEvidence };
    return predictEffect(model, known, subject.numbers, interest);
  };
}

function boundOffer(model: OfferModel, offer: Offer, items: ReadonlyMap<string, Item>): BoundOffer | null {
  let offers = bound.get(model);
  if (offers === undefined) {
    offers = new WeakMap();
    bound.set(model, offers);
  }
  let known = offers.get(offer);
  if (known === undefined) {
    known = bindOffer(model, describeOffer(offer, items, model.usualOrderMinor)) ?? null;
    offers.set(offer, known);
  }
  return known;
}
