/** The customer value model as the files of a published model, and back. */
import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import {
  type CustomerValueModel,
  type CustomerValueSettings,
  customerValueModel,
  PURCHASE_MODELS,
} from './customer-value-model.ts';
import { regularityMax } from './next-purchase.ts';

type Arrays = Record<string, Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array>;

const Positive = z.number().positive();
const Limits = z.array(z.number());
const parameterNames = {
  'bg-nbd': ['r', 'alpha', 'a', 'b'],
  'mbg-nbd': ['r', 'alpha', 'a', 'b'],
  'pareto-nbd': ['r', 'alpha', 's', 'beta'],
} as const;

/** `margins.known` is kept apart: ids in a table of their own, prices and shares as arrays. */
const ValueTable = z.strictObject({
  purchases: z
    .strictObject({ model: z.enum(PURCHASE_MODELS), parameters: z.record(z.string(), Positive) })
    .refine(({ model, parameters }) => parameterNames[model].every((name) => name in parameters)),
  spend: z.strictObject({ p: Positive, q: Positive, v: Positive }),
  regularity: z.int().min(1).max(regularityMax),
  horizonDays: Positive,
  annualDiscountRate: z.number().min(0),
  assumedMarginShare: z.number().min(0).max(1),
  thresholds: z.strictObject({
    recencyDays: Limits.length(4),
    errands: Limits.length(3),
    marginMinor: Limits.length(4),
    valueMinor: Limits.length(3),
    risk: Limits,
  }),
});

export function customerValueToFiles(settings: CustomerValueSettings): {
  arrays: Arrays;
  tables: Record<string, unknown>;
} {
  const { purchases, spend, regularity, horizonDays, annualDiscountRate, margins, thresholds } = settings;
  const known = [...margins.known];
  const value: z.input<typeof ValueTable> = {
    purchases: { model: purchases.model, parameters: { ...purchases.parameters } },
    spend: { ...spend },
    regularity,
    horizonDays,
    annualDiscountRate,
    assumedMarginShare: margins.assumedShare,
    thresholds: {
      recencyDays: [...thresholds.recencyDays],
      errands: [...thresholds.errands],
      marginMinor: [...thresholds.marginMinor],
      valueMinor: [...thresholds.valueMinor],
      risk: [...thresholds.risk],
    },
  };
  return {
    arrays: {
      priceMinor: Float64Array.from(known, ([, { priceMinor }]) => priceMinor),
      marginShare: Float64Array.from(known, ([, { share }]) => share),
    },
    tables: { value, itemIds: known.map(([id]) => id) },
  };
}

/** The reverse of `customerValueToFiles`. Throws AppError MODEL_UNAVAILABLE where the files do not make a model. */
export function customerValueFromFiles(arrays: Arrays, tables: Record<string, unknown>): CustomerValueModel {
  const parsed = ValueTable.safeParse(tables.value);
  if (!parsed.success) throw unusable(`its table "value": ${z.prettifyError(parsed.error)}`);
  const itemIds = z.array(z.string()).safeParse(tables.itemIds);
  const { priceMinor, marginShare } = arrays;
  if (
    !itemIds.success ||
    !(priceMinor instanceof Float64Array && marginShare instanceof Float64Array) ||
    priceMinor.length !== itemIds.data.length ||
    marginShare.length !== itemIds.data.length
  )
    throw unusable('its item margins are incomplete');
  const { assumedMarginShare, ...settings } = parsed.data;
  const known = new Map(
    itemIds.data.map((id, i) => [id, { priceMinor: priceMinor[i]!, share: marginShare[i]! }]),
  );
  return customerValueModel({ ...settings, margins: { assumedShare: assumedMarginShare, known } });
}

function unusable(fault: string): AppError {
  return new AppError('MODEL_UNAVAILABLE', {
    public: 'The customer value model cannot be used.',
    internal: `the customer value model cannot be used: ${fault}`,
  });
}
