/** Experiments on pages name scenarios, which only the service knows: those that there are not stop the start. */
import type { DecisionPolicy } from '../domain/decision-policy.ts';
import { invalidSettings } from '../infra/settings-file.ts';
import type { Scenarios } from './recommend/scenarios.ts';

/** Throws UsageError, which names every fault. */
export function refuseUnknownScenarios(
  { experiments }: DecisionPolicy,
  scenarios: Scenarios,
  path: string | undefined,
): void {
  const faults = experiments.flatMap(({ variants }, e) =>
    variants.flatMap((variant, v) =>
      Object.entries(variant.scenarios ?? {}).flatMap(([asked, standIn]) =>
        [asked, standIn]
          .filter((name) => !scenarios.has(name))
          .map((name) => ({
            place: `experiments.${e}.variants.${v}.scenarios.${asked}`,
            message: `names the scenario "${name}", which is not among ${[...scenarios.keys()].join(', ')}`,
          })),
      ),
    ),
  );
  if (faults.length > 0)
    throw invalidSettings(
      'DECISION_POLICY_FILE',
      path ?? '',
      faults,
      'docs/experiments.md shows one that is taken.',
    );
}
