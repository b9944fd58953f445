/** What a shop goes without as long as a model is not served: said at the end of a training, so that nulls are no surprise. */
import { MODEL_NAMES, type ModelName } from '../domain/manifest.ts';
import { currentVersion } from '../infra/served-versions.ts';

const WITHOUT: Readonly<Record<ModelName, string>> = {
  collaborative: 'recommendations go by what sells best',
  churn: 'churn risk is null',
  'customer-value': 'value and RFM segment are null',
  offers: 'what an offer does is reckoned from how often it was redeemed',
};

/** undefined: every model is served. */
export async function whatIsMissing(modelsDir: string): Promise<string | undefined> {
  const missing: ModelName[] = [];
  for (const name of MODEL_NAMES)
    if ((await currentVersion(modelsDir, name)) === undefined) missing.push(name);
  if (missing.length === 0) return undefined;
  const served = MODEL_NAMES.filter((name) => !missing.includes(name));
  const start = served.length === 0 ? 'No model is served' : `Served: ${served.join(', ')}. Not served`;
  const lacks = missing.map((name) => `${name} (${WITHOUT[name]})`).join(', ');
  return `${start}: ${lacks}. How much history each asks for: docs/importing.md#how-much-history-a-model-asks-for`;
}
