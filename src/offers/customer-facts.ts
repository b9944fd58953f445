/** What a decision needs to know of a customer. Whoever asks gathers it, so that the rules themselves reach nothing. */
import type { LoyaltyTier } from '../domain/channel.ts';
import type { Consent } from '../domain/customer.ts';
import type { ItemId } from '../domain/ids.ts';

export type CustomerFacts = {
  /** `none` where no tier is known. */
  loyaltyTier: LoyaltyTier;
  segment: string | undefined;
  /** A channel that is absent has no consent. */
  consent: Consent;
  complaintOpen: boolean;
  /** The feature vector, in the order of the feature names that offers were compiled with. */
  features: Float32Array;
  /** Calibrated P(no purchase within the horizon); undefined = not known. */
  churnRisk: number | undefined;
  /** undefined = has never ordered. */
  averageOrderMinor: number | undefined;
  /** Share of the customer's bought lines by category; sums to at most 1. */
  categoryShares: ReadonlyMap<string, number>;
  /** Weight of the evidence behind `categoryShares`: lines bought, perhaps decayed. */
  categoryEvidence: number;
  /** Where an item stands among the catalogue for this customer, 0 (last) to 1 (first); undefined = cannot be told. */
  tasteRank: (itemId: ItemId) => number | undefined;
};

/** Where and when an offer would be made. */
export type Situation = {
  channel: string;
  /** The places to fill. */
  placements: readonly string[];
  /** Milliseconds since 1970. */
  now: number;
  /** In the catalogue, in stock and not discontinued. */
  isBuyable: (itemId: ItemId) => boolean;
};
