/** Whom offers persuade and whom they keep, learnt beside what each customer is expected to do anyway. */
import { axesOf, type ContextBasis, widestOf } from '../uplift/context-basis.ts';
import type { UpliftOptions } from '../uplift/fit-uplift.ts';
import { crossFitResponse } from '../uplift/response-model.ts';
import { armWeights } from '../uplift/row-weights.ts';
import { noContact } from '../uplift/uplift-log.ts';
import type { GaussianSizes } from './gaussian-sizes.ts';
import { causesSize, fitSizes, standingColumns, standingOf, writeCauses } from './keeping.ts';
import { customerParts, meanOverOffers, type OfferLog, partOf, pickMatrix } from './offer-log.ts';
import type { OfferModelOptions } from './offer-model-options.ts';
import { fitPersuasion, type Persuasion } from './persuasion.ts';

/** Which offers persuade; and the orders that each row's customer is expected to make, by a fit to others. */
export async function learnPersuasion(
  log: OfferLog,
  basis: ContextBasis,
  kinds: readonly string[],
  { uplift }: OfferModelOptions,
  accepts: (row: number, offer: number) => number,
  annoys: (row: number, offer: number) => number,
): Promise<{ persuasion: Persuasion; expected: Float64Array }> {
  const { rows, contexts } = log;
  const orders = Float64Array.from(log.orders);
  const { expected, weight } = await expectedOf(log, basis, contexts, log, orders, uplift, (row) =>
    partOf(log, row),
  );
  const ofMade = (of: (row: number, offer: number) => number) =>
    Float64Array.from(log.offer, (offer, row) => (offer === noContact ? 0 : of(row, offer)));
  const annoyed = Float64Array.from({ length: rows }, (_, row) => meanOverOffers(log, row, annoys));
  const persuasion = fitPersuasion(
    {
      rows,
      offer: log.offer,
      accepts: ofMade(accepts),
      dismisses: ofMade(annoys),
      annoyed,
      orders,
      expected,
      weight,
    },
    kinds,
  );
  return { persuasion, expected };
}

/** What is expected of each row, by fits to other customers; and the weights of the rows, so that offers look as if chosen by lot. */
async function expectedOf(
  log: OfferLog,
  wide: ContextBasis,
  contexts: Float32Array,
  { rows, offer, propensity }: Pick<OfferLog, 'rows' | 'offer' | 'propensity'>,
  reward: Float64Array,
  { responseAxes, weightMax }: UpliftOptions,
  part: (row: number) => number,
): Promise<{ expected: Float64Array; weight: Float64Array }> {
  const columns = log.featureNames.length + log.channels.length;
  const basis = widestOf(wide, responseAxes);
  const weight = armWeights({ rows, arm: offer, propensity }, log.offers.length, weightMax);
  const { expected } = await crossFitResponse({
    rows,
    columns,
    contexts,
    axes: axesOf(contexts, rows, basis),
    size: basis.size,
    reward,
    weight,
    part: Uint8Array.from({ length: rows }, (_, row) => part(row)),
    parts: customerParts,
    trees: false,
  });
  return { expected, weight };
}

/** Sizes of what makes customers stay, by those of whom it is known whether they left. */
export async function learnKeeping(
  log: OfferLog,
  known: Int32Array,
  basis: ContextBasis,
  { churn }: OfferModelOptions,
  dismisses: (row: number, offer: number) => number,
): Promise<GaussianSizes> {
  const rows = known.length;
  const columns = log.featureNames.length + log.channels.length;
  const contexts = pickMatrix(log.contexts, columns, known);
  const left = Float64Array.from(known, (row) => log.churned[row]!);
  const some = {
    rows,
    offer: known.map((row) => log.offer[row]!),
    propensity: Float64Array.from(known, (row) => log.propensity[row]!),
  };
  const { expected, weight } = await expectedOf(log, basis, contexts, some, left, churn, (at) =>
    partOf(log, known[at]!),
  );
  const standings = standingColumns(log.featureNames);
  const causes = new Float64Array(rows * causesSize);
  const width = 5;
  const controls = new Float64Array(rows * width);
  for (const [at, row] of known.entries()) {
    const standing = standingOf(standings, contexts, at * columns);
    const leaving = Math.max(0, Math.min(1, expected[at]!));
    const offer = log.offer[row]!;
    if (offer !== noContact) {
      const inputs = { ...standing, leaving, dismisses: dismisses(row, offer) };
      writeCauses(log.offers[offer]!, inputs, causes, at * causesSize);
    }
    const annoyed = meanOverOffers(log, row, dismisses);
    controls.set([1, leaving, annoyed, standing.grievance, standing.takesPart], at * width);
  }
  const unexpectedlyLeft = left.map((value, at) => value - expected[at]!);
  return fitSizes({
    rows,
    causes,
    controls,
    width,
    unexpectedlyLeft,
    weight,
    customer: known.map((row) => log.customer[row]!),
  });
}
