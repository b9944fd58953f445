/** The rule language of offers as closures: made once for each version of an offer, tried for every customer. */
import type { RuleReason } from '../domain/decision.ts';
import { RULE_BOUNDS, type Rule, type RuleScore } from '../domain/rule.ts';
import type { CustomerFacts } from './customer-facts.ts';

/** What rules read; a score that is absent is not known, nor a feature that is not a number. */
export type RuleFacts = Pick<CustomerFacts, 'features' | 'loyaltyTier' | 'segment'> &
  Partial<Pick<CustomerFacts, 'knownFeatures' | 'churnRisk' | 'remainingLifetimeValueMinor' | 'segments'>>;

/** Why the rule does not hold for the customer, or undefined. */
export type CompiledRule = (facts: RuleFacts) => RuleReason | undefined;

/**
 * `featureNames` is the layout of `CustomerFacts.features`. What is not in it is not known of anybody. The reason is that of the first part that fails, unless a node around it has a code of its own.
 *
 * A score that is not known, or a feature that was never observed of the customer, makes a rule neither true nor false (Kleene's logic):
 * it does not hold, nor does its `not`, and the reason says so whatever code the rule has. A part that fails for certain, or in `any` one that holds, decides without it.
 */
export function compileRule(rule: Rule, featureNames: readonly string[]): CompiledRule {
  const compiled = compileNode(rule, featureNames);
  const own: RuleReason | undefined = rule.reasonCode === undefined ? undefined : `rule:${rule.reasonCode}`;
  if (own === undefined) return compiled;
  return (facts) => {
    const reason = compiled(facts);
    return reason === undefined || isUnknown(reason) ? reason : own;
  };
}

function isUnknown(reason: RuleReason): boolean {
  return reason.startsWith('unknown:');
}

function compileNode(rule: Rule, featureNames: readonly string[]): CompiledRule {
  const compileAll = (rules: readonly Rule[]) => rules.map((child) => compileRule(child, featureNames));
  if (rule.all !== undefined) {
    const children = compileAll(rule.all);
    return (facts) => {
      let unknown: RuleReason | undefined;
      for (const child of children) {
        const reason = child(facts);
        if (reason === undefined) continue;
        if (!isUnknown(reason)) return reason;
        unknown ??= reason;
      }
      return unknown;
    };
  }
  if (rule.any !== undefined) {
    const children = compileAll(rule.any);
    return (facts) => {
      let first: RuleReason | undefined;
      let unknown: RuleReason | undefined;
      for (const child of children) {
        const reason = child(facts);
        if (reason === undefined) return undefined;
        if (isUnknown(reason)) unknown ??= reason;
        first ??= reason;
      }
      return unknown ?? first;
    };
  }
  if (rule.not !== undefined) {
    const child = compileRule(rule.not, featureNames);
    const reason = reasonOf(rule.not);
    return (facts) => {
      const inner = child(facts);
      if (inner === undefined) return reason;
      return isUnknown(inner) ? inner : undefined;
    };
  }
  if (rule.score !== undefined) return scoreRule(rule, rule.score);
  return rule.feature === undefined ? attributeRule(rule) : featureRule(rule, featureNames);
}

function featureRule(rule: Rule, featureNames: readonly string[]): CompiledRule {
  const at = featureNames.indexOf(rule.feature ?? '');
  const [fails, unknown]: RuleReason[] = [`feature:${rule.feature}`, `unknown:${rule.feature}`];
  // Features are single precision: 0.1 must equal the 0.1 that somebody wrote into a rule.
  const [gt, gte, lt, lte, eq] = RULE_BOUNDS.map((bound) => rule[bound]).map((value) =>
    value === undefined ? undefined : Math.fround(value),
  );
  return ({ features, knownFeatures = features }) => {
    const value = knownFeatures[at];
    if (value === undefined || Number.isNaN(value)) return unknown;
    const holds =
      (gt === undefined || value > gt) &&
      (gte === undefined || value >= gte) &&
      (lt === undefined || value < lt) &&
      (lte === undefined || value <= lte) &&
      (eq === undefined || value === eq);
    return holds ? undefined : fails;
  };
}

function scoreRule(
  { gt, gte, lt, lte, eq, in: wanted, notIn: unwanted }: Rule,
  score: RuleScore,
): CompiledRule {
  const [fails, unknown]: RuleReason[] = [`score:${score}`, `unknown:${score}`];
  return (facts) => {
    const value = scoreOf(facts, score);
    if (value === undefined) return unknown;
    const holds =
      typeof value === 'string'
        ? (wanted === undefined || wanted.includes(value)) && unwanted?.includes(value) !== true
        : (gt === undefined || value > gt) &&
          (gte === undefined || value >= gte) &&
          (lt === undefined || value < lt) &&
          (lte === undefined || value <= lte) &&
          (eq === undefined || value === eq);
    return holds ? undefined : fails;
  };
}

function scoreOf(facts: RuleFacts, score: RuleScore): number | string | undefined {
  switch (score) {
    case 'churnRisk':
    case 'remainingLifetimeValueMinor':
      return facts[score];
    default:
      return facts.segments?.[score];
  }
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
  if (rule.score !== undefined) return `score:${rule.score}`;
  const child = rule.not ?? rule.all?.[0] ?? rule.any?.[0];
  return child === undefined ? 'rule:not' : reasonOf(child);
}
