/**
 * Divides subjects into parts by a hash of their ids: the same id is in the same part whenever and wherever it is asked, and
 * parts under different salts are independent of each other. Any database can work them out again:
 *
 *   x = first 8 hex digits of SHA-256("<salt>:<id>"), y = the next 8, both as whole numbers below 2^32.
 */
import { hash } from 'node:crypto';

/** Draws, and cut-offs between parts, are whole numbers up to it: exact in doubles and in SQL. */
export const drawRange = 2 ** 32;

export type Draws = {
  /** Uniform in [0, 2^32), independent of each other. */
  x: number;
  y: number;
};

export function drawsOf(salt: string, id: string): Draws {
  const digest = hash('sha256', `${salt}:${id}`, 'hex');
  return { x: Number.parseInt(digest.slice(0, 8), 16), y: Number.parseInt(digest.slice(8, 16), 16) };
}

/** Draws below it are this share of all. */
export function cutOff(share: number): number {
  return Math.round(share * drawRange);
}

/** The upper end (itself outside) of each weight's part of the draws, in their order. The last is 2^32. */
export function cutOffs(weights: readonly number[]): number[] {
  let total = 0;
  for (const weight of weights) total += weight;
  let sum = 0;
  return weights.map((weight, at) => {
    sum += weight;
    return at === weights.length - 1 ? drawRange : cutOff(sum / total);
  });
}

/** Number of the part that a draw lies in. */
export function partOf(draw: number, ends: readonly number[]): number {
  const part = ends.findIndex((end) => draw < end);
  return part < 0 ? ends.length - 1 : part;
}

/** What subjects are divided for. Names of experiments and ids of offers never meet: each kind has salts of its own. */
export const SALTS = {
  controlGroup: 'control-group',
  experiment: (name: string) => `experiment:${name}`,
  offerHoldout: (offerId: string) => `offer:${offerId}`,
  /** `day`: whole days since 1970. */
  listExploring: (day: number) => `list-exploring:${day}`,
} as const;
