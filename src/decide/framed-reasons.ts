/** Why a decision of a list is what it is, as the lake has it: see domain `framed-decision.ts`. */
import {
  type DecisionFrame,
  excludedWriter,
  type FramedExcluded,
  framedReasonCodes,
} from '../domain/framed-decision.ts';
import { FEATURE_NAMES } from '../features/registry.ts';
import type { OpenChoice } from '../offers/choose-offers.ts';
import { competingOffers } from '../offers/competition.ts';
import { contentVersion } from '../offers/content-version.ts';
import type { CompiledOffer } from '../offers/eligibility.ts';
import type { OfferMarket } from '../offers/offer-market.ts';
import type { FramedInputs } from './decision-inputs.ts';

/** A frame as it is kept: one with the same id says the same. */
export type KeptFrame = { frameId: string; json: string };

export type FramedReasons = { frame: KeptFrame; excluded: FramedExcluded; inputs: FramedInputs };

const frames = new WeakMap<readonly CompiledOffer[], KeptFrame>();

function frameOf(market: OfferMarket): KeptFrame {
  const offers = competingOffers(market);
  let kept = frames.get(offers);
  if (kept === undefined) {
    const frame: DecisionFrame = {
      offers: offers.map(({ offer, version }) => ({ offerId: offer.offerId, offerVersion: version })),
      reasonCodes: [...framedReasonCodes],
      features: [...FEATURE_NAMES],
    };
    kept = { frameId: contentVersion(frame), json: JSON.stringify(frame) };
    frames.set(offers, kept);
  }
  return kept;
}

/** Of lists that many share. */
const shared = new WeakMap<object, FramedExcluded>();

export function framedReasons(choice: OpenChoice, market: OfferMarket, inputs: FramedInputs): FramedReasons {
  return { frame: frameOf(market), excluded: excludedOf(choice), inputs };
}

function excludedOf(choice: OpenChoice): FramedExcluded {
  const { keptFromAll } = choice;
  const known = keptFromAll && shared.get(keptFromAll);
  if (known !== undefined) return known;
  const { add, excluded } = excludedWriter();
  choice.eachReason((_, reasonCode, candidate) => add(reasonCode, candidate?.expectedValue));
  if (keptFromAll !== undefined) shared.set(keptFromAll, excluded);
  return excluded;
}

/** As JSON, without the braces around it. Those that many share are put into words once. */
export function framedText({ frame, excluded, inputs }: FramedReasons): string {
  let text = texts.get(excluded);
  if (text === undefined) {
    text = JSON.stringify(excluded);
    if (excluded.values === undefined) texts.set(excluded, text);
  }
  return `"frame":"${frame.frameId}","excluded":${text},"inputs":${JSON.stringify(inputs)}`;
}

const texts = new WeakMap<FramedExcluded, string>();
