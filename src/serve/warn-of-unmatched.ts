/** Says at the start which rules of scenarios name what the catalogue does not have. */
import type { Catalogue } from '../infra/catalogue.ts';
import type { Logger } from '../infra/logger.ts';
import type { Scenarios } from './recommend/scenarios.ts';
import { unmatchedRules } from './recommend/unmatched-rules.ts';

const namesTold = 20;

export function warnOfUnmatched(
  scenarios: Scenarios,
  catalogue: Pick<Catalogue, 'items'>,
  log: Logger,
): void {
  for (const { scenario, rule, names } of unmatchedRules(scenarios, catalogue.items))
    log.warn(
      {
        event: 'scenario.unmatched',
        scenario,
        rule,
        names: names.slice(0, namesTold),
        unmatched: names.length,
      },
      `${rule} of the scenario "${scenario}" name what no item of the catalogue has; as long as that is so, they do nothing`,
    );
}
