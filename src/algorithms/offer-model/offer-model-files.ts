/** The offer model as the files of a published model, and back. */
import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import type { Arrays, Tables } from '../model-parts.ts';
import { upliftFromFiles, upliftToFiles } from '../uplift/uplift-files.ts';
import { causesSize } from './keeping.ts';
import type { OfferModel } from './offer-model.ts';

/** Of the files; one with another number is of another kind of model. */
const filesVersion = 3;

const Table = z.strictObject({
  version: z.literal(filesVersion),
  featureNames: z.array(z.string()),
  channels: z.array(z.string()),
  windowDays: z.number().positive(),
  churnHorizonDays: z.number().positive().nullable(),
  usualOrderMinor: z.number().min(0),
  usualShares: z.array(z.tuple([z.string(), z.number().min(0)])),
  acceptScale: z.strictObject({ mean: z.number(), spread: z.number().positive() }),
  kinds: z.array(z.string()),
  withheld: z.array(z.string()).default([]),
  leftOut: z.strictObject({ share: z.number().min(0).max(1), deviation: z.number().min(0) }),
  dismissals: z.boolean(),
  calibration: z.strictObject({ slope: z.number().min(0), intercept: z.number() }),
});

export function offersToFiles(model: OfferModel): { arrays: Arrays; tables: Tables } {
  const { acceptance, dismissal } = model;
  const purchase = upliftToFiles('purchase', model.purchase);
  const churn = model.churn && upliftToFiles('churn', model.churn);
  const offers: z.input<typeof Table> = {
    version: filesVersion,
    featureNames: [...model.featureNames],
    channels: [...model.channels],
    windowDays: model.windowDays,
    churnHorizonDays: model.churnHorizonDays ?? null,
    usualOrderMinor: model.usualOrderMinor,
    usualShares: [...model.usualShares],
    acceptScale: model.acceptScale,
    kinds: [...model.kinds],
    withheld: [...model.withheld],
    leftOut: { share: model.persuasion.leftOut, deviation: model.persuasion.leftOutDeviation },
    dismissals: dismissal !== undefined,
    calibration: acceptance.calibration,
  };
  return {
    arrays: {
      ...purchase.arrays,
      ...churn?.arrays,
      acceptanceShared: acceptance.shared,
      acceptanceOwn: acceptance.own,
      persuadedShare: model.persuasion.share,
      persuadedDeviation: model.persuasion.deviation,
      keepingMean: model.keeping.mean,
      keepingFactor: model.keeping.factor,
      ...(dismissal !== undefined && { dismissalShared: dismissal.shared, dismissalOwn: dismissal.own }),
    },
    tables: { ...purchase.tables, ...churn?.tables, offers },
  };
}

/** The reverse of `offersToFiles`. Throws AppError MODEL_UNAVAILABLE where the files do not make a model. */
export function offersFromFiles(arrays: Arrays, tables: Tables): OfferModel {
  const parsed = Table.safeParse(tables.offers);
  if (!parsed.success) throw unusable(`its table offers: ${z.prettifyError(parsed.error)}`);
  const { featureNames, channels, churnHorizonDays, usualShares, calibration, ...rest } = parsed.data;
  const purchase = upliftFromFiles('purchase', arrays, tables);
  const churn = churnHorizonDays === null ? undefined : upliftFromFiles('churn', arrays, tables);
  for (const effects of [purchase, churn])
    if (effects !== undefined && effects.columns !== featureNames.length + channels.length)
      throw unusable('its effects are of other columns than its features and channels');
  const size = purchase.basis.size + 2;
  const floats = (name: string, length: number): Float64Array => {
    const array = arrays[name];
    if (!(array instanceof Float64Array) || array.length !== length)
      throw unusable(`its array ${name} must hold ${length} float64`);
    return array;
  };
  return {
    featureNames,
    channels,
    windowDays: rest.windowDays,
    churnHorizonDays: churnHorizonDays ?? undefined,
    usualOrderMinor: rest.usualOrderMinor,
    acceptScale: rest.acceptScale,
    usualShares: new Map(usualShares),
    purchase,
    churn,
    acceptance: {
      size,
      shared: floats('acceptanceShared', purchase.traits.length * size),
      own: floats('acceptanceOwn', purchase.arms.length * size),
      calibration,
    },
    dismissal: rest.dismissals
      ? {
          size,
          shared: floats('dismissalShared', purchase.traits.length * size),
          own: floats('dismissalOwn', purchase.arms.length * size),
          calibration: { slope: 1, intercept: 0 },
        }
      : undefined,
    kinds: rest.kinds,
    withheld: rest.withheld,
    persuasion: {
      share: floats('persuadedShare', purchase.arms.length),
      deviation: floats('persuadedDeviation', purchase.arms.length),
      leftOut: rest.leftOut.share,
      leftOutDeviation: rest.leftOut.deviation,
    },
    keeping: {
      mean: floats('keepingMean', causesSize),
      factor: floats('keepingFactor', causesSize * causesSize),
    },
  };
}

function unusable(fault: string): AppError {
  return new AppError('MODEL_UNAVAILABLE', {
    public: 'The model of offers cannot be used.',
    internal: `offer model: ${fault}`,
  });
}
