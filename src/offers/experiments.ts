/**
 * Who is in which part of which experiment, who is kept out of all offers or of one, and what that changes. A pure function of
 * the policy, the subject's id and the time: nothing is stored, and who reads an experiment out needs no log of exposures.
 *
 * Every experiment divides everybody by a hash of its own, so that experiments may run side by side: each one's variants have
 * the same mixture of the others' in them. The control group takes part in none.
 */
import { cutOff, cutOffs, drawsOf, partOf, SALTS } from '../algorithms/split.ts';
import type { ExperimentAssignment } from '../domain/decision.ts';
import type {
  ContactCap,
  ContactPolicy,
  DecisionPolicy,
  Experiment,
  ExperimentVariant,
  Exploration,
  RANKINGS,
  ValueWeights,
} from '../domain/decision-policy.ts';
import { changesOffers, changesPages, concernsOffers } from '../domain/experiment-scope.ts';
import type { Offer } from '../domain/offer.ts';
import { type CompiledContactPolicy, compileContactPolicy } from './contact-policy.ts';
import { type ExplorationSettings, purseOf, shopPurse } from './exploration.ts';

/** How to decide on offers for one subject now: the shop's policy, with what the subject's variants change. Shared: do not write. */
export type DecisionSettings = {
  ranking: (typeof RANKINGS)[number];
  exploration: ExplorationSettings;
  /** Multiply the offers' own levers; an offer that is absent keeps its own. */
  levers: ReadonlyMap<string, number>;
  /** Offers that are switched off. */
  withoutOffers: ReadonlySet<string>;
  /** Versions of models; undefined = the one that is served. */
  offerModel: string | undefined;
  churnModel: string | undefined;
  valueModel: string | undefined;
  /** Where a variant changes the contact policy; undefined = the shop's. */
  contactPolicy: CompiledContactPolicy | undefined;
  /** How much of what offers bring counts. */
  weights: ValueWeights;
  /** Does the fallback stand in where nothing is made? */
  fallback: boolean;
  /** The first running experiment on offers that the subject takes part in. */
  experiment: ExperimentAssignment | null;
  /** Those after it. */
  furtherExperiments: readonly ExperimentAssignment[];
};

export type Experiments = {
  /** The universal holdout: how large it is, and whether the subject is in it. */
  controlGroup: (subjectId: string) => { share: number; member: boolean };
  /** `now` in milliseconds since 1970. */
  settingsFor: (subjectId: string, now: number) => DecisionSettings;
  /** What a page of recommendations is made by that was asked for in a scenario. */
  pageSettingsFor: (subjectId: string, scenario: string, now: number) => PageSettings;
};

export type PageSettings = {
  /** The one that stands in for the one asked; itself, where no variant says otherwise. */
  scenario: string;
  /** Version of the collaborative model; undefined = the one that is served. */
  collaborativeModel: string | undefined;
  /** The first running experiment on such pages that the subject takes part in. */
  experiment: ExperimentAssignment | null;
  /** Those after it. */
  furtherExperiments: readonly ExperimentAssignment[];
};

/** Those of a page that no experiment is about. */
export function untriedPage(scenario: string): PageSettings {
  return { scenario, collaborativeModel: undefined, experiment: null, furtherExperiments: none };
}

const none: readonly never[] = [];

type Compiled = {
  experiment: Experiment;
  from: number;
  to: number;
  salt: string;
  shareEnd: number;
  variantEnds: readonly number[];
};

type Part = { of: Compiled; variant: ExperimentVariant };

/** Combinations of variants that are kept ready. */
const combinationsMax = 1000;

export function compileExperiments(policy: DecisionPolicy): Experiments {
  const controlEnd = cutOff(policy.controlGroupShare);
  const all = policy.experiments.map(compile);
  const onOffers = all.filter(({ experiment }) => concernsOffers(experiment));
  const combinations = new Map<string, DecisionSettings>();
  const unchanged = combine(policy, []);
  const ofControlGroup = { ...unchanged, fallback: policy.controlGroupFallback };

  const isControl = (subjectId: string) =>
    controlEnd > 0 && drawsOf(SALTS.controlGroup, subjectId).x < controlEnd;

  function partsOf(subjectId: string, now: number, among: readonly Compiled[]): Part[] {
    const running = among.filter(({ from, to }) => now >= from && now < to);
    if (running.length === 0 || isControl(subjectId)) return [];
    return running.flatMap((of) => {
      const variant = variantOf(of, subjectId);
      return variant === undefined ? [] : [{ of, variant }];
    });
  }

  return {
    controlGroup: (subjectId) => ({ share: policy.controlGroupShare, member: isControl(subjectId) }),
    settingsFor: (subjectId, now) => {
      if (isControl(subjectId)) return ofControlGroup;
      const parts = partsOf(subjectId, now, onOffers);
      if (parts.length === 0) return unchanged;
      const key = parts.map(({ of, variant }) => `${of.experiment.name}=${variant.name}`).join(' ');
      let settings = combinations.get(key);
      if (settings === undefined) {
        if (combinations.size >= combinationsMax) combinations.clear();
        settings = combine(policy, parts);
        combinations.set(key, settings);
      }
      return settings;
    },
    pageSettingsFor: (subjectId, scenario, now) => {
      const onPage = all.filter(({ experiment }) => concernsPages(experiment, scenario));
      const parts = partsOf(subjectId, now, onPage);
      if (parts.length === 0) return untriedPage(scenario);
      const variants = parts.map(({ variant }) => variant);
      const [first, ...further] = parts.map(assignmentOf);
      return {
        scenario: variants.map((variant) => standInOf(variant, scenario)).find(isDefined) ?? scenario,
        collaborativeModel: variants.map(({ collaborativeModel }) => collaborativeModel).find(isDefined),
        experiment: first ?? null,
        furtherExperiments: further,
      };
    },
  };
}

/** Is the subject among those who never get this offer? Salted by the offer, so that no two keep out the same customers. */
export function isHeldOut({ offerId, holdoutShare }: Offer, subjectId: string): boolean {
  return holdoutShare > 0 && drawsOf(SALTS.offerHoldout(offerId), subjectId).x < cutOff(holdoutShare);
}

function compile(experiment: Experiment): Compiled {
  return {
    experiment,
    from: Date.parse(experiment.from),
    to: experiment.to === undefined ? Infinity : Date.parse(experiment.to),
    salt: SALTS.experiment(experiment.name),
    shareEnd: cutOff(experiment.share),
    variantEnds: cutOffs(experiment.variants.map(({ weight }) => weight)),
  };
}

/** By one draw whether the subject takes part, by another in what: a larger share moves nobody who is in already. */
function variantOf({ experiment, salt, shareEnd, variantEnds }: Compiled, subjectId: string) {
  const { x, y } = drawsOf(salt, subjectId);
  return x < shareEnd ? experiment.variants[partOf(y, variantEnds)] : undefined;
}

function concernsPages({ variants }: Experiment, scenario: string): boolean {
  const changesThese = (variant: ExperimentVariant) =>
    variant.collaborativeModel !== undefined || standInOf(variant, scenario) !== undefined;
  return (
    variants.some(changesThese) ||
    !variants.some((variant) => changesPages(variant) || changesOffers(variant))
  );
}

function standInOf({ scenarios }: ExperimentVariant, scenario: string): string | undefined {
  return scenarios && Object.hasOwn(scenarios, scenario) ? scenarios[scenario] : undefined;
}

function isDefined<T>(value: T | undefined): value is T {
  return value !== undefined;
}

/** Where two experiments change the same, levers multiply, switched-off offers add up, and otherwise the first one counts. */
function combine(policy: DecisionPolicy, parts: readonly Part[]): DecisionSettings {
  const variants = parts.map(({ variant }) => variant);
  const levers = new Map<string, number>();
  for (const variant of variants)
    for (const [offerId, lever] of Object.entries(variant.levers ?? {}))
      levers.set(offerId, (levers.get(offerId) ?? 1) * lever);
  const [first, ...further] = parts.map(assignmentOf);
  return {
    ranking: variants.find(({ ranking }) => ranking !== undefined)?.ranking ?? 'value',
    exploration: explorationOf(policy, parts),
    levers,
    withoutOffers: new Set(variants.flatMap(({ withoutOffers = [] }) => withoutOffers)),
    offerModel: variants.find(({ offerModel }) => offerModel !== undefined)?.offerModel,
    churnModel: variants.find(({ churnModel }) => churnModel !== undefined)?.churnModel,
    valueModel: variants.find(({ valueModel }) => valueModel !== undefined)?.valueModel,
    contactPolicy: contactPolicyOf(policy.contact, variants),
    weights: weightsOf(policy, variants),
    fallback: variants.find(({ fallback }) => fallback !== undefined)?.fallback ?? true,
    experiment: first ?? null,
    furtherExperiments: further,
  };
}

/** The shop's with what the variants add: of each rule the strictest holds. */
function contactPolicyOf(law: ContactPolicy, variants: readonly ExperimentVariant[]) {
  const added = variants.flatMap(({ contact }) => contact ?? []);
  if (added.length === 0) return undefined;
  const most = (own: number, others: readonly (number | undefined)[]) =>
    Math.max(own, ...others.map((other) => other ?? own));
  return compileContactPolicy({
    ...law,
    quietHours: [...law.quietHours, ...added.flatMap(({ quietHours = [] }) => quietHours)],
    caps: [...law.caps, ...added.flatMap(({ caps = [] }) => caps)],
    minGapHours: most(
      law.minGapHours,
      added.map(({ minGapHours }) => minGapHours),
    ),
    dismissals: {
      ...law.dismissals,
      suppressDays: most(
        law.dismissals.suppressDays,
        added.map(({ dismissals }) => dismissals?.suppressDays),
      ),
    },
    lowRating: {
      ...law.lowRating,
      days: most(
        law.lowRating.days,
        added.map(({ lowRating }) => lowRating?.days),
      ),
    },
    oneDiscountAtATime:
      law.oneDiscountAtATime || added.some((contact) => contact.oneDiscountAtATime === true),
  });
}

/** What variants cap: contacts are written down for it whoever the customer is, so that it counts from the first on. */
export function cappedByVariants({ experiments }: DecisionPolicy): ContactCap[] {
  return experiments.flatMap(({ variants }) => variants.flatMap(({ contact }) => contact?.caps ?? []));
}

function weightsOf({ economics }: DecisionPolicy, variants: readonly ExperimentVariant[]): ValueWeights {
  const firstOf = (field: keyof ValueWeights) =>
    variants.find((variant) => variant.economics?.[field] !== undefined)?.economics?.[field];
  return {
    marginWeight: firstOf('marginWeight') ?? economics.marginWeight,
    lifetimeValueWeight: firstOf('lifetimeValueWeight') ?? economics.lifetimeValueWeight,
  };
}

function explorationOf(policy: DecisionPolicy, parts: readonly Part[]): ExplorationSettings {
  const partWith = (field: keyof Exploration) =>
    parts.find(({ variant }) => variant.exploration?.[field] !== undefined);
  const firstOf = <F extends keyof Exploration>(field: F) => partWith(field)?.variant.exploration?.[field];
  // null is a bound too: none.
  const bound = firstOf('maxCostMinorPerDay');
  const bounding = partWith('maxCostMinorPerDay');
  return {
    method: firstOf('method') ?? policy.exploration.method,
    epsilon: firstOf('epsilon') ?? policy.exploration.epsilon,
    maxCostMinorPerDay: bound === undefined ? policy.exploration.maxCostMinorPerDay : bound,
    purse: bounding === undefined ? shopPurse : purseOf(assignmentOf(bounding)),
  };
}

function assignmentOf({ of, variant }: Part): ExperimentAssignment {
  return { name: of.experiment.name, variant: variant.name };
}
