/** Where recommendations are shown, and what counts there: configuration, not code. */
import { z } from 'zod';
import { COLLABORATIVE_SOURCES, type FusionSettings } from '../../algorithms/collaborative-model.ts';
import { UsageError } from '../../domain/errors.ts';
import { invalidSettings, readSettingsFile, type SettingsFault } from '../../infra/settings-file.ts';
import { Boost, Diversity, Exclusions, NewItems, Pin, Rotation } from './arrange-rules.ts';

/** Where candidates come from: what training weighs against each other, and what belongs to a page. */
export const CANDIDATE_SOURCES = [...COLLABORATIVE_SOURCES, 'boughtTogether', 'similar'] as const;
export type CandidateSource = (typeof CANDIDATE_SOURCES)[number];

/**
 * `ease` and `customers`: sources of the learned ranker that scenarios do not weigh. `newInCategory`: nobody has bought it yet, and it is of a category that interests the customer. `pinned`: a pin alone
 * brought it. `catalogue` fills what the others leave empty: items that nobody has bought yet.
 */
export const SOURCES = [
  ...CANDIDATE_SOURCES,
  'ease',
  'customers',
  'newInCategory',
  'pinned',
  'catalogue',
] as const;
export type Source = (typeof SOURCES)[number];

const INCLUDE_BOUGHT = ['never', 'whenDue', 'always'] as const;

const weight = z.number().min(0).max(1000);
const Weights = z.strictObject({
  ials: weight.optional(),
  neighbours: weight.optional(),
  buyAgain: weight.optional(),
  popularity: weight.optional(),
  boughtTogether: weight.optional(),
  similar: weight.optional(),
} satisfies Record<CandidateSource, unknown>);

export const Scenario = z
  .strictObject({
    /** How much the learned ranker's list counts; without a ranker, the mix of sources that training found best, its loudest with this weight. */
    learned: weight.default(0),
    /** Added to it, source by source. */
    weights: Weights.default({}),
    /**
     * What the customer has bought before: `never` shows none of it, `whenDue` what buyAgain finds due again, `always`
     * lets it come from any source.
     */
    includeBought: z.enum(INCLUDE_BOUGHT).default('whenDue'),
    /** Never answered here, not by a pin either. */
    exclude: Exclusions.prefault({}),
    /** Every one that matches an item multiplies its score. */
    boosts: z.array(Boost).max(1000).default([]),
    diversity: Diversity.prefault({}),
    /** Absent: the list changes only with what is known. */
    rotation: Rotation.optional(),
    /** Absent: new items only fill up. */
    newItems: NewItems.optional(),
    /** Items at places of their own, as far as they may be shown. */
    pins: z.array(Pin).max(100).default([]),
  })
  .refine(
    (scenario) => scenario.learned > 0 || Object.values(scenario.weights).some((value = 0) => value > 0),
    'needs a weight above 0',
  );
export type Scenario = z.output<typeof Scenario>;

const ScenarioName = z.string().regex(/^[a-zA-Z][a-zA-Z0-9-]{0,49}$/, 'must be a short word');

export type Scenarios = ReadonlyMap<string, Scenario>;

/** Half a list at most of one category, near ties changing places each day, one place in ten for what is new. */
const varied = { diversity: { maxPerCategory: 0.5 }, rotation: {}, newItems: {} };

/** A start that serves most shops. */
const DEFAULT_SCENARIOS: Readonly<Record<string, z.input<typeof Scenario>>> = {
  home: { learned: 1, ...varied },
  /** On a product's page: what goes with it, then what is like it. */
  product: { learned: 0.2, weights: { boughtTogether: 1.5, similar: 1 }, newItems: {} },
  /** In the basket: complements, and what is due again. */
  cart: { learned: 0.3, weights: { boughtTogether: 2, buyAgain: 0.5 } },
  category: { learned: 1, weights: { popularity: 0.3 }, rotation: {}, newItems: {} },
  /** Built once and opened whenever: a week as one. */
  email: { learned: 1, weights: { buyAgain: 0.5 }, ...varied, rotation: { everyHours: 168 } },
  /** After the order: what to try next. */
  confirmation: { learned: 0.5, weights: { boughtTogether: 1 } },
  /** Nothing personal. */
  popular: { weights: { popularity: 1 }, includeBought: 'always' },
};

/** Each source's weight in this scenario: learned × (the model's weight ÷ its largest) + the scenario's own. */
export function sourceWeights(
  scenario: Scenario,
  fusion: FusionSettings,
): Readonly<Record<CandidateSource, number>> {
  const largest = Math.max(...Object.values(fusion.weights));
  const scale = largest > 0 ? scenario.learned / largest : 0;
  const own = (source: CandidateSource) => scenario.weights[source] ?? 0;
  return {
    ials: scale * fusion.weights.ials + own('ials'),
    neighbours: scale * fusion.weights.neighbours + own('neighbours'),
    buyAgain: scale * fusion.weights.buyAgain + own('buyAgain'),
    popularity: scale * fusion.weights.popularity + own('popularity'),
    boughtTogether: own('boughtTogether'),
    similar: own('similar'),
  };
}

const mostScenarios = 1000;
const example = 'docs/scenarios.md shows one that is taken.';

/** A shop's own file adds scenarios, and replaces those of the same name. Throws UsageError, which names the file and its faults. */
export function loadScenarios(path: string | undefined): Scenarios {
  const defaults = Object.entries(DEFAULT_SCENARIOS).map(
    ([name, scenario]) => [name, Scenario.parse(scenario)] as const,
  );
  return new Map([...defaults, ...(path === undefined ? [] : readScenarioFile(path))]);
}

function readScenarioFile(path: string): Map<string, Scenario> {
  const content = readSettingsFile('SCENARIOS_FILE', path, example);
  if (content === null || typeof content !== 'object' || Array.isArray(content))
    throw new UsageError(`SCENARIOS_FILE ${path} must hold an object of scenarios by name. ${example}`);
  const given = Object.entries(content);
  if (given.length > mostScenarios)
    throw new UsageError(
      `SCENARIOS_FILE ${path} holds ${given.length} scenarios; at most ${mostScenarios} are taken.`,
    );
  const scenarios = new Map<string, Scenario>();
  const faults: SettingsFault[] = [];
  for (const [name, value] of given) {
    // One by one: a record of zod passes over the name __proto__ without a word.
    const parsed = z.object({ name: ScenarioName, scenario: Scenario }).safeParse({ name, scenario: value });
    if (parsed.success) scenarios.set(name, parsed.data.scenario);
    else
      for (const { path: place, message } of parsed.error.issues)
        faults.push({ place: [name, ...place.slice(1)].join('.'), message });
  }
  if (faults.length > 0) throw invalidSettings('SCENARIOS_FILE', path, faults, example);
  return scenarios;
}
