/**
 * What an offer does to a customer, learnt from decisions and what came of them: how likely it is redeemed, and by how much it
 * changes the probabilities of a purchase within the window and of leaving, each against no contact. Pure and in typed arrays:
 * a customer is read once, an offer then costs a few dot products.
 *
 * Redemptions are told apart from nothing by themselves, and are learnt from few decisions; effects are small beside what
 * customers do anyway. So the uplift is the share of P(redeemed) that the offer persuades (persuasion.ts), and an effect that
 * is linear in the customer's numbers and in P(redeemed) of the pair comes beside it as far as the log tells.
 */
import { deviationOfSum } from '../normal-distribution.ts';
import {
  type ArmEffect,
  armEffect,
  axesFrom,
  createUpliftReader,
  effectOf,
  effectSpread,
  tellFit,
  traitsOf,
  type UpliftModel,
  type UpliftReader,
  type UpliftSubject,
} from '../uplift/uplift-model.ts';
import {
  type AcceptanceModel,
  acceptanceCoefficients,
  acceptanceLogit,
  acceptPropensity,
} from './acceptance.ts';
import { usualLeaving } from './assumed-effects.ts';
import { type CategoryShares, categoryFit, type Interest } from './category-fit.ts';
import {
  causesSize,
  type KeepingInputs,
  type KeepingSizes,
  keepingOf,
  type StandingColumns,
  standingColumns,
  standingOf,
  writeCauses,
} from './keeping.ts';
import { kindTrait, type OfferDescriptor, offerArm } from './offer-descriptor.ts';
import { type Persuasion, shareOfKind } from './persuasion.ts';

export type OfferModel = {
  /** Features of a context, in the order of the vector; the channels follow, one column each. */
  featureNames: readonly string[];
  channels: readonly string[];
  /** Days after a decision within which a purchase is one of its outcomes. */
  windowDays: number;
  /** Of leaving: no purchase within so many days after the window; undefined: nothing has been learnt about it. */
  churnHorizonDays: number | undefined;
  /** Value of a usual order, minor units: depths are measured by it. */
  usualOrderMinor: number;
  usualShares: CategoryShares;
  /** Kinds of the offers of the log, in the order of the arms, and whom they persuade. */
  kinds: readonly string[];
  persuasion: Persuasion;
  /** On the number of orders, beside what persuasion and annoyance tell; and on P(leaving). */
  purchase: UpliftModel;
  churn: UpliftModel | undefined;
  acceptance: AcceptanceModel;
  acceptScale: AcceptScale;
  /** P(dismissed | read and not taken), of the same numbers; undefined: too few were. */
  dismissal: AcceptanceModel | undefined;
  /** Ids of offers that logged decisions speak against beyond doubt. */
  withheld: readonly string[];
  /** What makes customers stay or leave, and how much. */
  keeping: KeepingSizes;
};

/** Deviations from none. Decisions on a customer overlap, so that there is less in a log than its rows say. */
const beyondDoubt = 4;

/** Mean and spread of P(redeemed) over the offers made: the scale at which effects go by it. */
export type AcceptScale = { mean: number; spread: number };

/** What the model says of one offer and one customer. */
export type OfferEffect = {
  /** P(redeemed | made). */
  acceptPropensity: number;
  /** Change of the number of orders within the window, and of P(staying). */
  uplift: number;
  churnReduction: number;
  /** Standard deviations of the two, as far as the model does not know them. */
  upliftDeviation: number;
  churnReductionDeviation: number;
  /** Logged decisions speak against the offer beyond doubt: it is only tried. */
  withheld?: boolean;
};

/** An offer, ready to be asked of any customer. */
export type BoundOffer = {
  categories: readonly string[];
  purchase: ArmEffect;
  churn: ArmEffect | undefined;
  acceptance: Float64Array;
  dismissal: Float64Array | undefined;
  /** Share of the acceptances that are further orders, and what is not known of it. */
  persuades: { share: number; deviation: number };
  kind: string;
  retention: boolean;
  withheld: boolean;
};

/** A customer, ready for any offer. */
export type OfferSubjectNumbers = {
  purchase: UpliftSubject;
  churn: UpliftSubject | undefined;
  /** Orders within the window without contact, and P(leaving). */
  untouchedPurchase: number;
  untouchedChurn: number | undefined;
  standing: Pick<KeepingInputs, 'grievance' | 'takesPart'>;
};

/** undefined for an offer of a kind that was never made: nothing is known of it. */
export function bindOffer(model: OfferModel, descriptor: OfferDescriptor): BoundOffer | undefined {
  const arm = offerArm(descriptor);
  const { purchase, churn, acceptance, dismissal } = model;
  if (!purchase.traits.includes(kindTrait(descriptor.kind))) return undefined;
  const known = purchase.arms.findIndex(({ id }) => id === arm.id);
  const traits = traitsOf(purchase.traits, arm);
  const number = known < 0 ? undefined : known;
  return {
    categories: descriptor.categories,
    purchase: armEffect(purchase, arm),
    churn: churn && armEffect(churn, arm),
    acceptance: acceptanceCoefficients(acceptance, traits, number),
    dismissal: dismissal && acceptanceCoefficients(dismissal, traits, number),
    persuades:
      number === undefined
        ? shareOfKind(model.persuasion, model.kinds, descriptor.kind)
        : { share: model.persuasion.share[number]!, deviation: model.persuasion.deviation[number]! },
    kind: descriptor.kind,
    retention: descriptor.retention,
    // Of another benefit, the offer is another: nothing is known against it.
    withheld: number !== undefined && model.withheld.includes(descriptor.offerId),
  };
}

/** `features` as the model's `featureNames`. */
export function readSubject(
  model: OfferModel,
  features: ArrayLike<number>,
  channel: string,
): OfferSubjectNumbers {
  const { context, columns, purchase, churn } = workOf(model);
  writeContext(model, features, 0, channel, context, 0);
  const ofPurchase = copied(purchase(context, 0));
  const ofChurn = churn && copied(churn(context, 0));
  return {
    purchase: ofPurchase,
    churn: ofChurn,
    untouchedPurchase: ofPurchase.untouched,
    untouchedChurn: ofChurn?.untouched,
    standing: standingOf(columns, context, 0),
  };
}

export function predictEffect(
  model: OfferModel,
  offer: BoundOffer,
  subject: OfferSubjectNumbers,
  interest: Interest,
): OfferEffect {
  const { purchase, churn } = subject;
  const suits = categoryFit(offer.categories, interest, model.usualShares);
  const accepts = acceptPropensity(
    model.acceptance.calibration,
    acceptanceLogit(offer.acceptance, purchase.numbers, axesFrom, suits),
  );
  const scaled = scaledAcceptance(model.acceptScale, accepts);
  tellFit(purchase, scaled);
  if (churn !== undefined) tellFit(churn, scaled);
  const leaving = offer.churn !== undefined && churn !== undefined ? { arm: offer.churn, churn } : undefined;
  return {
    acceptPropensity: accepts,
    ...(offer.withheld && { withheld: true }),
    ...persuading(offer, accepts, purchase),
    ...keeping(model, offer, leaving, {
      ...subject.standing,
      dismisses: dismissPropensity(model, offer, purchase, suits),
      leaving: Math.max(0, Math.min(1, subject.untouchedChurn ?? usualLeaving)),
    }),
  };
}

/** With what the log tells of the pair besides. */
function persuading(
  { persuades, purchase: arm }: BoundOffer,
  accepts: number,
  subject: UpliftSubject,
): Pick<OfferEffect, 'uplift' | 'upliftDeviation'> {
  return {
    uplift: bounded(persuades.share * accepts + effectOf(arm, subject)),
    upliftDeviation: deviationOfSum(persuades.deviation * accepts, effectSpread(arm, subject)),
  };
}

/**
 * What is learnt of leaving counts where it is beyond doubt. Elsewhere it is noise, which times all that a customer is yet to
 * bring would outweigh everything that is known, and the best of many offers would be that of the largest error: there the few
 * causes of keeping.ts count.
 */
function keeping(
  { keeping: sizes }: OfferModel,
  offer: BoundOffer,
  leaving: { arm: ArmEffect; churn: UpliftSubject } | undefined,
  inputs: KeepingInputs,
): Pick<OfferEffect, 'churnReduction' | 'churnReductionDeviation'> {
  if (leaving !== undefined) {
    const reduction = -effectOf(leaving.arm, leaving.churn);
    const deviation = effectSpread(leaving.arm, leaving.churn);
    if (Math.abs(reduction) > beyondDoubt * deviation)
      return { churnReduction: bounded(reduction), churnReductionDeviation: deviation };
  }
  writeCauses(offer, inputs, causes);
  const { mean, deviation } = keepingOf(sizes, causes);
  return { churnReduction: bounded(mean), churnReductionDeviation: deviation };
}

/** Of one pair; every process asks of one at a time. */
const causes = new Float64Array(causesSize);

function dismissPropensity(
  { dismissal }: OfferModel,
  offer: BoundOffer,
  { numbers }: UpliftSubject,
  suits: number,
): number {
  if (dismissal === undefined || offer.dismissal === undefined) return 0;
  return acceptPropensity(dismissal.calibration, acceptanceLogit(offer.dismissal, numbers, axesFrom, suits));
}

/** Features, then 1 in the column of the channel. A channel that was never decided on is none of them. */
export function writeContext(
  { featureNames, channels }: Pick<OfferModel, 'featureNames' | 'channels'>,
  features: ArrayLike<number>,
  from: number,
  channel: string,
  out: Float32Array,
  to: number,
): void {
  for (let f = 0; f < featureNames.length; f++) out[to + f] = features[from + f]!;
  for (let c = 0; c < channels.length; c++)
    out[to + featureNames.length + c] = channels[c] === channel ? 1 : 0;
}

export function scaledAcceptance({ mean, spread }: AcceptScale, accepts: number): number {
  return (accepts - mean) / spread;
}

function bounded(effect: number): number {
  return Math.max(-1, Math.min(1, effect));
}

/** The readers write into the same numbers for everybody. */
function copied({ numbers, untouched }: UpliftSubject): UpliftSubject {
  return { numbers: numbers.slice(), untouched };
}

/** What a model needs to be asked, made once. */
type Work = {
  context: Float32Array;
  columns: StandingColumns;
  purchase: UpliftReader;
  churn: UpliftReader | undefined;
};
const works = new WeakMap<OfferModel, Work>();

function workOf(model: OfferModel): Work {
  const known = works.get(model);
  if (known !== undefined) return known;
  const work = {
    context: new Float32Array(model.featureNames.length + model.channels.length),
    columns: standingColumns(model.featureNames),
    purchase: createUpliftReader(model.purchase),
    churn: model.churn && createUpliftReader(model.churn),
  };
  works.set(model, work);
  return work;
}
