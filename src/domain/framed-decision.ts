/**
 * A decision of a list as the lake has it: why offers were not made, and what was known of the customer, by position in a frame
 * that all decisions of the list share. By name, each would say again what is the same for a million customers, in four times
 * as many bytes.
 */
import { z } from 'zod';
import { EXCLUSION_REASONS, type ExcludedOffer, type ExclusionReason } from './decision.ts';

/** What the positions stand for. */
export const DecisionFrame = z.object({
  /** Every offer that is no stand-in, by offer id. */
  offers: z.array(z.object({ offerId: z.string(), offerVersion: z.string() })),
  reasonCodes: z.array(z.string()),
  /** The names of the feature vector. */
  features: z.array(z.string()),
});
export type DecisionFrame = z.output<typeof DecisionFrame>;

export const FramedExcluded = z.object({
  /** For each offer of the frame its reason: among the frame's, and from there on among `codes`; -1: it is made. */
  reasons: z.array(z.int().min(-1)),
  /** Reasons that the frame does not know: of offers' own rules. */
  codes: z.array(z.string()).optional(),
  /** What each would have been worth, minor units; null: it did not come to that. Absent: none did. */
  values: z.array(z.number().nullable()).optional(),
});
export type FramedExcluded = z.output<typeof FramedExcluded>;

const Framed = z.looseObject({
  frame: z.string(),
  excluded: FramedExcluded,
  inputs: z.looseObject({ features: z.array(z.number().nullable()) }),
});

/** Reasons that every frame knows, by position. */
const positions = new Map<string, number>(EXCLUSION_REASONS.map((reasonCode, at) => [reasonCode, at]));
const made = -1;

/** `reasonCodes` of a frame that `excludedWriter` writes for. */
export const framedReasonCodes: readonly string[] = EXCLUSION_REASONS;

/** Takes down the offers of a frame one after the other. */
export function excludedWriter(): {
  add: (reasonCode: ExclusionReason | undefined, expectedValue: number | undefined) => void;
  excluded: FramedExcluded;
} {
  const excluded: FramedExcluded = { reasons: [] };
  return {
    add: (reasonCode, expectedValue) => {
      excluded.reasons.push(reasonCode === undefined ? made : positionOf(reasonCode, excluded));
      if (expectedValue !== undefined && excluded.values === undefined)
        excluded.values = Array.from({ length: excluded.reasons.length - 1 }, () => null);
      // A thousandth of a cent says as much as seventeen digits, which nothing could make smaller on the disk.
      excluded.values?.push(expectedValue === undefined ? null : Math.round(expectedValue * 1000) / 1000);
    },
    excluded,
  };
}

function positionOf(reasonCode: ExclusionReason, excluded: FramedExcluded): number {
  const known = positions.get(reasonCode);
  if (known !== undefined) return known;
  excluded.codes ??= [];
  const at = excluded.codes.indexOf(reasonCode);
  return EXCLUSION_REASONS.length + (at < 0 ? excluded.codes.push(reasonCode) - 1 : at);
}

/** How often each reason is among them. */
export function countReasons({ reasons, codes = [] }: FramedExcluded, counts: Map<ExclusionReason, number>) {
  for (const at of reasons) {
    const reasonCode =
      EXCLUSION_REASONS[at] ?? (codes[at - EXCLUSION_REASONS.length] as ExclusionReason | undefined);
    if (reasonCode !== undefined) counts.set(reasonCode, (counts.get(reasonCode) ?? 0) + 1);
  }
}

/** The id of the frame that a stored decision is written by; undefined: by none. */
export function frameIdOf(stored: unknown): string | undefined {
  const { frame } = (stored ?? {}) as { frame?: unknown };
  return typeof frame === 'string' ? frame : undefined;
}

/**
 * JSON of domain `Decision`, parsed, of what the lake has. Without its frame a decision cannot say its reasons any more, and
 * says that.
 */
export function unframed(stored: unknown, frame: DecisionFrame | undefined): unknown {
  const framed = Framed.safeParse(stored).data;
  if (framed === undefined) return stored;
  const { frame: _frame, excluded, inputs, ...rest } = framed;
  if (frame === undefined) return { ...rest, excluded: [], reasonsLost: true };
  const features: Record<string, number | null> = {};
  for (const [at, name] of frame.features.entries()) features[name] = inputs.features[at] ?? null;
  return { ...rest, excluded: excludedOf(excluded, frame), inputs: { ...inputs, features } };
}

function excludedOf({ reasons, codes = [], values }: FramedExcluded, frame: DecisionFrame): ExcludedOffer[] {
  const reasonCodes = [...frame.reasonCodes, ...codes];
  return frame.offers.flatMap((offer, at) => {
    const reasonCode = reasonCodes[reasons[at] ?? made];
    const expectedValue = values?.[at] ?? undefined;
    if (reasonCode === undefined) return [];
    return [{ ...offer, reasonCode, ...(expectedValue !== undefined && { expectedValue }) } as ExcludedOffer];
  });
}
