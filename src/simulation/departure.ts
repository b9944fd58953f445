/**
 * Why and when a customer leaves: an additive hazard (Aalen 1989) under a frailty that nobody sees,
 *
 *   h(t) = base · frailty · (1 + Σ_k weight_k · x_k(t)),   frailty = exp(spread · z − spread² / 2), z standard normal,
 *
 * where x_k counts grievances of kind k: each adds 1 and fades with a half-life (an open complaint stays until it is
 * resolved). The customer begins to leave when the integrated hazard passes an exponential of mean 1. It is integrated a
 * week at a time, by source, so that the truth can say what drove each customer away.
 */
import type { Rng } from '../algorithms/rng.ts';
import { YEAR_DAYS } from './calendar.ts';

export const HAZARD = {
  basePerYear: 0.3,
  frailtySpread: 0.8,
  halfLifeDays: 45,
  /** How many times the base hazard one fresh grievance adds. */
  weights: { lateDelivery: 10, lowRating: 8, openComplaint: 9 },
} as const;

export const WEEK_DAYS = 7;
const WEEK_YEARS = WEEK_DAYS / YEAR_DAYS;
const WEEK_DECAY = 2 ** (-WEEK_DAYS / HAZARD.halfLifeDays);

/** Integrated hazard by source; `hidden` is what the customer would have had without any grievance. */
export type HazardSources = {
  hidden: number;
  lateDelivery: number;
  lowRating: number;
  openComplaint: number;
};

export type Departure = {
  frailty: number;
  sources: HazardSources;
  lateDelivery(): void;
  lowRating(): void;
  complaintOpened(): void;
  complaintResolved(): void;
  /** A week passes; true when the customer begins to leave in it. */
  week(): boolean;
};

export function createDeparture(hiddenTrait: number, rng: Rng): Departure {
  const { weights, frailtySpread } = HAZARD;
  const frailty = Math.exp(frailtySpread * hiddenTrait - frailtySpread ** 2 / 2);
  const weeklyBase = HAZARD.basePerYear * frailty * WEEK_YEARS;
  const threshold = rng.exponential();
  const sources: HazardSources = { hidden: 0, lateDelivery: 0, lowRating: 0, openComplaint: 0 };
  let late = 0;
  let low = 0;
  let open = 0;
  return {
    frailty,
    sources,
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
    week() {
      sources.hidden += weeklyBase;
      sources.lateDelivery += weeklyBase * weights.lateDelivery * late;
      sources.lowRating += weeklyBase * weights.lowRating * low;
      sources.openComplaint += weeklyBase * weights.openComplaint * open;
      late *= WEEK_DECAY;
      low *= WEEK_DECAY;
      const integrated = sources.hidden + sources.lateDelivery + sources.lowRating + sources.openComplaint;
      return integrated >= threshold;
    },
  };
}
