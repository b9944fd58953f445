/** Every hyper-parameter of the collaborative model: what is tuned, fitted, and written into the manifest as its recipe. */
import { z } from 'zod';
import { CustomerNeighbourOptions } from '../../algorithms/customer-neighbours.ts';
import { MOST_EASE_ITEMS } from '../../algorithms/ease.ts';
import { IalsOptions } from '../../algorithms/ials.ts';
import { ItemKnnOptions } from '../../algorithms/item-knn.ts';

const weight = z.number().min(0);

export const CollaborativeSettings = z.strictObject({
  ials: IalsOptions.prefault({}),
  /** Of items that the same customers bought. */
  knn: ItemKnnOptions.prefault({ minTogether: 2, minLift: 1 }),
  /** Of items that the same orders hold. Measured: docs/benchmarks.md, "Bought together". */
  boughtTogether: ItemKnnOptions.prefault({
    popularityExponent: 0.3,
    shrinkage: 20,
    minTogether: 2,
    minLift: 1,
  }),
  popularity: z
    .strictObject({
      halfLifeDays: z.number().positive().default(30),
      segmentPriorPurchases: z.number().min(0).default(300),
    })
    .prefault({}),
  /** How purchases become the weights of interactions. */
  weighting: z
    .strictObject({
      halfLifeDays: z.number().positive().default(180),
      floor: z.number().min(0).max(1).default(0.01),
    })
    .prefault({}),
  buyAgainHorizonDays: z.number().positive().default(28),
  /** Of customers who shop alike. */
  customers: CustomerNeighbourOptions.prefault({}),
  ease: z
    .strictObject({
      /** Larger catalogues do without: its time grows with items³, and a training fits it five times. */
      itemsMax: z.int().min(0).max(MOST_EASE_ITEMS).default(10_000),
      /** λ: L2 weight, in customers. */
      regularization: z.number().positive().default(200),
      /** Weights that are kept of each item. */
      k: z.int().positive().max(1000).default(100),
    })
    .prefault({}),
  habitHalfLifeDays: z.number().positive().default(60),
  /** Rank fusion: what is served where no ranker could be learned. */
  fusion: z
    .strictObject({
      weights: z
        .strictObject({ ials: weight, neighbours: weight, buyAgain: weight, popularity: weight })
        .default({ ials: 1, neighbours: 0.3, buyAgain: 4, popularity: 0.1 }),
      rankConstant: z.number().min(0).default(20),
    })
    .prefault({}),
});
export type CollaborativeSettings = z.output<typeof CollaborativeSettings>;

export const defaultSettings: CollaborativeSettings = CollaborativeSettings.parse({});
