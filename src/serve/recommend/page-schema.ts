/** What `GET /recommendations` takes and answers. */
import { z } from 'zod';
import { ExperimentAssignment } from '../../domain/decision.ts';
import { CustomerId, ItemId, SessionId } from '../../domain/ids.ts';
import { Count, Flag, list } from '../query.ts';
import { ARRANGE_RULES } from './arrange.ts';
import { Reason } from './reasons.ts';
import { DEGRADATIONS } from './recommender.ts';
import { SOURCES } from './scenarios.ts';

export const RecommendationQuery = z.strictObject({
  customerId: CustomerId.optional(),
  /** A guest's visit; read where there is no customer of that id. */
  sessionId: SessionId.optional(),
  n: Count,
  scenario: z.string().min(1).max(50).default('home'),
  itemId: list(ItemId, 50).meta({ description: 'The item of the page, or those in the basket' }),
  category: z.string().min(1).max(200).optional(),
  exclude: list(ItemId, 500).meta({ description: 'Items that are not to be answered' }),
  explain: Flag.meta({ description: 'Adds what each source contributed, and which rules changed the place' }),
});
export type RecommendationQuery = z.output<typeof RecommendationQuery>;

export const Degraded = z.enum(DEGRADATIONS);

export const RecommendationAnswer = z
  .object({
    recommendationId: z.string(),
    items: z.array(
      z.object({
        itemId: z.string(),
        name: z.string().optional(),
        /** Ranks within this answer; no probability. */
        score: z.number(),
        /** What spoke for it most. */
        source: z.enum(SOURCES),
        reasons: z.array(Reason).min(1),
        /** With `explain`. */
        contributions: z.partialRecord(z.enum(SOURCES), z.number()).optional(),
        /** With `explain`: the rules that changed its place, in their order; places from 1. */
        arranged: z
          .array(
            z.object({
              rule: z.enum(ARRANGE_RULES),
              /** Absent: it was not in the list before. */
              from: z.int().optional(),
              to: z.int(),
              /** Product of the boosts that match. */
              factor: z.number().optional(),
            }),
          )
          .optional(),
      }),
    ),
    /** null: no model has been published yet. */
    modelVersion: z.string().nullable(),
    /** true: a part of the service was away, and the answer is less personal (or shorter) than usual. */
    degraded: z.boolean(),
    degradedBy: z.array(Degraded),
    /** The first of the running experiments on this page that the customer or visit takes part in. */
    experiment: ExperimentAssignment.nullable(),
    /** Those after it. */
    furtherExperiments: z.array(ExperimentAssignment).optional(),
    tookMs: z.number(),
  })
  .meta({ id: 'Recommendations' });
export type RecommendationAnswer = z.output<typeof RecommendationAnswer>;
