/** Offers with their rules as closures, each version once: the catalogue's copy holds a new object when an offer changes. */
import type { Offer } from '../domain/offer.ts';
import { FEATURE_NAMES } from '../features/registry.ts';
import { type CompiledOffer, compileOffer } from '../offers/eligibility.ts';

const compiled = new WeakMap<Offer, CompiledOffer>();

export function compiledOffer(offer: Offer): CompiledOffer {
  let known = compiled.get(offer);
  if (known === undefined) {
    known = compileOffer(offer, FEATURE_NAMES);
    compiled.set(offer, known);
  }
  return known;
}
