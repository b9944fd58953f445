/**
 * Why and when a customer leaves: an additive hazard (Aalen 1989) under a frailty that nobody sees,
 *
 *   h(t) = base · frailty · (1 + Σ_k weight_k · x_k(t)),   frailty = exp(spread · z − spread² / 2), z standard normal,
 *
 * divided by 1 + Σ_j bond_j · y_j(t), where x_k counts grievances of kind k: each adds 1 and fades with a half-life (an open
 * complaint stays until it is resolved; a contact that irritates adds as much as it does); y_j counts what binds, likewise:
 * points redeemed, taking part, being cared for by an offer. The customer begins to leave when the integrated hazard passes an
 * exponential of mean 1. It is integrated a week at a time, by source, so that the truth can say what drove each customer away.
 */
import type { Rng } from '../algorithms/rng.ts';
import { YEAR_DAYS } from './calendar.ts';

export const HAZARD = {
  basePerYear: 0.3,
  frailtySpread: 0.8,
  halfLifeDays: 45,
  /** How many times the base hazard one fresh grievance adds. */
  weights: { lateDelivery: 10, lowRating: 8, openComplaint: 9, irritation: 3 },
  /** By how much of the undivided hazard one fresh bond of each kind divides it, and how it fades. */
  bonds: { pointsRedeemed: 0.4, tookPart: 0.8, caredFor: 1 },
  bondHalfLifeDays: 90,
} as const;

export const WEEK_DAYS = 7;
const WEEK_YEARS = WEEK_DAYS / YEAR_DAYS;
export const WEEK_DECAY = 2 ** (-WEEK_DAYS / HAZARD.halfLifeDays);
export const BOND_DECAY = 2 ** (-WEEK_DAYS / HAZARD.bondHalfLifeDays);

/** Integrated hazard by source; `hidden` is the part that owes nothing to any grievance. */
export type HazardSources = {
  hidden: number;
  lateDelivery: number;
  lowRating: number;
  openComplaint: number;
  irritation: number;
};

/** Integrated hazard that bonds have averted. */
export type HazardAverted = { pointsRedeemed: number; tookPart: number; caredFor: number };

/** The terms of the hazard at a moment: a week's base (frailty within it), Σ weight · x that fades, that stays, Σ bond · y. */
export type HazardStanding = {
  weeklyBase: number;
  grievances: number;
  openComplaints: number;
  bonds: number;
};

export type Departure = {
  frailty: number;
  sources: HazardSources;
  averted: HazardAverted;
  /** Grievances that weigh now. */
  readonly grievances: number;
  /** Complaints that are open, and late deliveries that weigh. */
  readonly openComplaints: number;
  readonly lateDeliveries: number;
  pointsRedeemed(): void;
  tookPart(): void;
  lateDelivery(): void;
  lowRating(): void;
  complaintOpened(): void;
  complaintResolved(): void;
  /** By an offer: how much of a grievance it is, and how much of a bond. */
  irritated(amount: number): void;
  caredFor(amount: number): void;
  /** What contacts have left of irritation. */
  readonly irritation: number;
  /** Won back while fading: what it takes to leave begins anew. */
  cameBack(rng: Rng): void;
  /** What weighs and binds now, for expectations. */
  standing(): HazardStanding;
  /** A week passes; true when the customer begins to leave in it. */
  week(): boolean;
};

export function createDeparture(hiddenTrait: number, rng: Rng): Departure {
  const { weights, frailtySpread } = HAZARD;
  const frailty = Math.exp(frailtySpread * hiddenTrait - frailtySpread ** 2 / 2);
  const weeklyBase = HAZARD.basePerYear * frailty * WEEK_YEARS;
  let threshold = rng.exponential();
  const sources: HazardSources = {
    hidden: 0,
    lateDelivery: 0,
    lowRating: 0,
    openComplaint: 0,
    irritation: 0,
  };
  const averted: HazardAverted = { pointsRedeemed: 0, tookPart: 0, caredFor: 0 };
  let redeemed = 0;
  let takenPart = 0;
  let late = 0;
  let low = 0;
  let open = 0;
  let irritation = 0;
  let cared = 0;
  const integrated = () =>
    sources.hidden + sources.lateDelivery + sources.lowRating + sources.openComplaint + sources.irritation;
  return {
    frailty,
    sources,
    averted,
    get grievances() {
      return late + low + open;
    },
    get openComplaints() {
      return open;
    },
    get lateDeliveries() {
      return late;
    },
    pointsRedeemed() {
      redeemed++;
    },
    tookPart() {
      takenPart++;
    },
    lateDelivery() {
      late++;
    },
    lowRating() {
      low++;
    },
    complaintOpened() {
      open++;
    },
    complaintResolved() {
      open--;
    },
    get irritation() {
      return irritation;
    },
    irritated(amount) {
      irritation += amount;
    },
    caredFor(amount) {
      cared += amount;
    },
    cameBack(rng) {
      threshold = integrated() + rng.exponential();
    },
    standing: () => ({
      weeklyBase,
      grievances: weights.lateDelivery * late + weights.lowRating * low + weights.irritation * irritation,
      openComplaints: weights.openComplaint * open,
      bonds:
        HAZARD.bonds.pointsRedeemed * redeemed +
        HAZARD.bonds.tookPart * takenPart +
        HAZARD.bonds.caredFor * cared,
    }),
    week() {
      const byPoints = HAZARD.bonds.pointsRedeemed * redeemed;
      const byPart = HAZARD.bonds.tookPart * takenPart;
      const byCare = HAZARD.bonds.caredFor * cared;
      const weekly = weeklyBase / (1 + byPoints + byPart + byCare);
      sources.hidden += weekly;
      sources.lateDelivery += weekly * weights.lateDelivery * late;
      sources.lowRating += weekly * weights.lowRating * low;
      sources.openComplaint += weekly * weights.openComplaint * open;
      sources.irritation += weekly * weights.irritation * irritation;
      // weeklyBase − weekly = weekly · (byPoints + byPart + byCare): each kind's share of what the week would have cost
      // besides.
      const undivided =
        weekly *
        (1 +
          weights.lateDelivery * late +
          weights.lowRating * low +
          weights.openComplaint * open +
          weights.irritation * irritation);
      averted.pointsRedeemed += undivided * byPoints;
      averted.tookPart += undivided * byPart;
      averted.caredFor += undivided * byCare;
      redeemed *= BOND_DECAY;
      takenPart *= BOND_DECAY;
      cared *= BOND_DECAY;
      late *= WEEK_DECAY;
      low *= WEEK_DECAY;
      irritation *= WEEK_DECAY;
      return integrated() >= threshold;
    },
  };
}
