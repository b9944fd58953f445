/** What of an offer its effects go by: offers that are alike in it are taken for alike until their own decisions tell. */
import type { UpliftArm } from '../uplift/uplift-log.ts';

export type OfferDescriptor = {
  offerId: string;
  /** Of the benefit. */
  kind: string;
  /** What it gives, beside a usual order: 0.15 for 15 % off. */
  depth: number;
  /** Meant to keep a customer. */
  retention: boolean;
  /** That it is about, each once, sorted; empty = the whole shop. */
  categories: readonly string[];
};

/** As deep as traits go. */
const depthMax = 0.5;

export function offerTraits({ kind, depth, retention, categories }: OfferDescriptor): UpliftArm['traits'] {
  const traits: Record<string, number> = {
    [kindTrait(kind)]: 1,
    depth: Math.min(depthMax, Math.max(0, depth)) / depthMax,
  };
  if (retention) traits.retention = 1;
  if (categories.length > 0) {
    traits.partial = 1;
    // Of several categories each has its part: together they weigh as one.
    for (const category of categories) traits[`category=${category}`] = 1 / Math.sqrt(categories.length);
  }
  return traits;
}

export function kindTrait(kind: string): string {
  return `kind=${kind}`;
}

/** An offer whose benefit or subject has changed does something else: it is another arm, of the same traits but for what has changed. */
export function offerArm(descriptor: OfferDescriptor): UpliftArm {
  const traits = offerTraits(descriptor);
  return { id: JSON.stringify([descriptor.offerId, traits]), traits };
}
