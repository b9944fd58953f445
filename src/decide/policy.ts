/** The decision policy as a process holds it: read once at the start. */
import { DecisionPolicy } from '../domain/decision-policy.ts';
import { invalidSettings, readSettingsFile } from '../infra/settings-file.ts';
import { contentVersion } from '../offers/content-version.ts';

/** `version` names what the policy says; a decision carries it, so that it can be explained later. */
export type CurrentPolicy = { policy: DecisionPolicy; version: string };

const variable = 'DECISION_POLICY_FILE';
const hint = 'docs/contact-policy.md shows one that is taken.';

/** The defaults, where there is no file. UsageError names the file and every fault. */
export function loadDecisionPolicy(path: string | undefined): CurrentPolicy {
  if (path === undefined) return currentPolicy(DecisionPolicy.parse({}));
  const parsed = DecisionPolicy.safeParse(readSettingsFile(variable, path, hint));
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path: place, message }) => ({
      place: place.join('.') || 'the file',
      message,
    }));
    throw invalidSettings(variable, path, faults, hint);
  }
  return currentPolicy(parsed.data);
}

export function currentPolicy(policy: DecisionPolicy): CurrentPolicy {
  return { policy, version: contentVersion(policy) };
}
