/** The rule language of offers as closures: made once for each version of an offer, tried for every customer. */
import type { RuleReason } from '../domain/decision.ts';
import { RULE_BOUNDS, type Rule } from '../domain/rule.ts';
import type { CustomerFacts } from './customer-facts.ts';

/** Why the rule does not hold for the customer, or undefined. */
export type CompiledRule = (
  facts: Pick<CustomerFacts, 'features' | 'loyaltyTier' | 'segment'>,
) => RuleReason | undefined;

/**
 * `featureNames` is the layout of `CustomerFacts.features`. A bound on a name that is not in it, or on a value that is not a
 * number, does not hold. The reason is that of the first part that fails, unless a node around it has a code of its own.
 */
export function compileRule(rule: Rule, featureNames: readonly string[]): CompiledRule {
  const compiled = compileNode(rule, featureNames);
  const own: RuleReason | undefined = rule.reasonCode === undefined ? undefined : `rule:${rule.reasonCode}`;
  if (own === undefined) return compiled;
  return (facts) => (compiled(facts) === undefined ? undefined : own);
}

function compileNode(rule: Rule, featureNames: readonly string[]): CompiledRule {
  const compileAll = (rules: readonly Rule[]) => rules.map((child) => compileRule(child, featureNames));
  if (rule.all !== undefined) {
    const children = compileAll(rule.all);
    return (facts) => {
      for (const child of children) {
        const reason = child(facts);
        if (reason !== undefined) return reason;
      }
      return undefined;
    };
  }
  if (rule.any !== undefined) {
    const children = compileAll(rule.any);
    return (facts) => {
      let first: RuleReason | undefined;
      for (const child of children) {
        const reason = child(facts);
        if (reason === undefined) return undefined;
        first ??= reason;
      }
      return first;
    };
  }
  if (rule.not !== undefined) {
    const child = compileRule(rule.not, featureNames);
    const reason = reasonOf(rule.not);
    return (facts) => (child(facts) === undefined ? reason : undefined);
  }
  return rule.feature === undefined ? attributeRule(rule) : featureRule(rule, featureNames);
}

function featureRule(rule: Rule, featureNames: readonly string[]): CompiledRule {
  const at = featureNames.indexOf(rule.feature ?? '');
  const reason: RuleReason = `feature:${rule.feature}`;
  // Features are single precision: 0.1 must equal the 0.1 that somebody wrote into a rule.
  const [gt, gte, lt, lte, eq] = RULE_BOUNDS.map((bound) => rule[bound]).map((value) =>
    value === undefined ? undefined : Math.fround(value),
  );
  return ({ features }) => {
    const value = features[at];
    // Written so that NaN, and a feature that is not there, fail.
    const holds =
      value !== undefined &&
      !Number.isNaN(value) &&
      (gt === undefined || value > gt) &&
      (gte === undefined || value >= gte) &&
      (lt === undefined || value < lt) &&
      (lte === undefined || value <= lte) &&
      (eq === undefined || value === eq);
    return holds ? undefined : reason;
  };
}

function attributeRule(rule: Rule): CompiledRule {
  const reason: RuleReason = `attribute:${rule.attribute}`;
  const isTier = rule.attribute === 'tier';
  const wanted = rule.in && new Set(rule.in);
  const unwanted = rule.notIn && new Set(rule.notIn);
  return ({ loyaltyTier, segment }) => {
    const value = isTier ? loyaltyTier : segment;
    const isWanted = wanted === undefined || (value !== undefined && wanted.has(value));
    const isUnwanted = unwanted !== undefined && value !== undefined && unwanted.has(value);
    return isWanted && !isUnwanted ? undefined : reason;
  };
}

/** What a negated rule asks for. */
function reasonOf(rule: Rule): RuleReason {
  if (rule.reasonCode !== undefined) return `rule:${rule.reasonCode}`;
  if (rule.feature !== undefined) return `feature:${rule.feature}`;
  if (rule.attribute !== undefined) return `attribute:${rule.attribute}`;
  const child = rule.not ?? rule.all?.[0] ?? rule.any?.[0];
  return child === undefined ? 'rule:not' : reasonOf(child);
}
