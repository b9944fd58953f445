/** What a decision needs to know of a customer. Whoever asks gathers it, so that the rules themselves reach nothing. */
import type { OfferEffect } from '../algorithms/offer-model/offer-model.ts';
import type { Channel, LoyaltyTier } from '../domain/channel.ts';
import type { Consent } from '../domain/customer.ts';
import type { DecisionInputs } from '../domain/decision.ts';
import type { ItemId } from '../domain/ids.ts';
import type { Offer, OfferAnswer } from '../domain/offer.ts';
import type { RfmSegment, RiskBand, ValueTier } from '../domain/segments.ts';
import type { ContactHistory } from './contact-history.ts';

export type CustomerFacts = {
  /** The customer's id, or what stands for a guest: by it, customers are kept out of offers by lot. */
  subjectId: string;
  /** `none` where no tier is known. */
  loyaltyTier: LoyaltyTier;
  segment: string | undefined;
  /** A channel that is absent has no consent. */
  consent: Consent;
  /** IANA; undefined = not known. */
  timeZone: string | undefined;
  complaintOpen: boolean;
  /** The last time at which a rating lay below the bound; undefined = never. */
  lastRatedBelow: (bound: number) => number | undefined;
  /** Of late, in the order of time. */
  offerAnswers: readonly OfferAnswer[];
  /** How aggrieved she is, and whether she takes part in the community: 0 to 1. May be worked out when it is read. */
  readonly standing: { grievance: number; takesPart: number };
  /** What was offered of late. */
  contacts: ContactHistory;
  /** The feature vector, in the order of the feature names that offers were compiled with. */
  features: Float32Array;
  /** The same with NaN for what was never observed, where `features` has what models take for it; absent: all was. */
  readonly knownFeatures?: Float32Array;
  /** Calibrated P(no purchase within the horizon); undefined = not known. Like what follows, it may be worked out when it is read. */
  readonly churnRisk: number | undefined;
  /**
   * Discounted margin of the orders still to come, of a customer who stays; undefined = not known. May be worked out
   * when it is read: most decisions do not.
   */
  readonly remainingLifetimeValueMinor: number | undefined;
  /** What the served models make of the customer; a name that is not known is absent. */
  readonly segments?: Segments;
  /** undefined = has never ordered. */
  averageOrderMinor: number | undefined;
  /** Share of the customer's bought lines by category; sums to at most 1. */
  readonly categoryShares: ReadonlyMap<string, number>;
  /** Weight of the evidence behind `categoryShares`: lines bought, perhaps decayed. */
  readonly categoryEvidence: number;
  /** Where an item stands among the catalogue for this customer, 0 (last) to 1 (first); undefined = cannot be told. */
  tasteRank: (itemId: ItemId) => number | undefined;
  /** If it is made on the channel; undefined = there is no offer model, or it knows no offer of its kind. */
  effectOf: (offer: Offer, channel: Channel) => OfferEffect | undefined;
  /** For the log: works nothing out that was not asked for. */
  workedOut?: () => WorkedOut;
};

export type Segments = { rfmSegment?: RfmSegment; valueTier?: ValueTier; riskBand?: RiskBand };

/** What of the facts was worked out because an offer's value depended on it. */
export type WorkedOut = {
  /** null: it was asked for, and is not known. */
  churnRisk?: number | null;
  segments?: Segments;
  value?: NonNullable<DecisionInputs['value']>;
  categoryShares?: ReadonlyMap<string, number>;
  categoryEvidence?: number;
};

/** Where and when an offer would be made. */
export type Situation = {
  channel: Channel;
  /** The places to fill. */
  placements: readonly string[];
  /** Milliseconds since 1970. */
  now: number;
  /** The message, page or call that it is part of, as contacts name it: what belongs together is one contact. */
  occasionId?: string | undefined;
  /** Value of the basket of this moment; undefined = not known. */
  basketMinor: number | undefined;
  /** In the catalogue, in stock and not discontinued. */
  isBuyable: (itemId: ItemId) => boolean;
};
