/** Gauges that are read when Prometheus asks: models, the catalogue, the policy, budgets. */
import { Gauge, type Registry } from 'prom-client';
import type { MarketHolder } from '../decide/market.ts';
import type { PolicyWatch } from '../decide/policy-watch.ts';
import type { Models } from '../scoring/served.ts';

/** `now` in milliseconds since 1970. */
export function observeModels(registry: Registry, models: Models, now: () => number): void {
  const registers = [registry];
  const served = () =>
    [models.collaborative, models.churn, models.customerValue, models.offers].filter(
      (model) => model !== undefined,
    );
  new Gauge({
    name: 'nextbest_serve_model_age_seconds',
    aggregator: 'max',
    help: 'Time since the served model was trained',
    labelNames: ['model'],
    registers,
    collect() {
      this.reset();
      for (const { manifest } of served())
        this.set({ model: manifest.name }, (now() - Date.parse(manifest.createdAt)) / 1000);
    },
  });
  new Gauge({
    name: 'nextbest_serve_model_info',
    aggregator: 'max',
    help: 'Version of the served model; always 1',
    labelNames: ['model', 'version'],
    registers,
    collect() {
      this.reset();
      for (const { manifest } of served()) this.set({ model: manifest.name, version: manifest.version }, 1);
    },
  });
}

/** Gauges of the catalogue's copy in memory. */
export function observeCatalogue(
  registry: Registry,
  catalogue: { readonly loaded: boolean; readonly items: ReadonlyMap<string, unknown> },
): void {
  const registers = [registry];
  new Gauge({
    name: 'nextbest_serve_catalogue_items',
    aggregator: 'max',
    help: "Items in this process's copy of the catalogue",
    registers,
    collect() {
      this.set(catalogue.items.size);
    },
  });
}

export function observePolicy(
  registry: Registry,
  version: string,
  { inForce }: Pick<PolicyWatch, 'inForce'>,
): void {
  const registers = [registry];
  new Gauge({
    name: 'nextbest_serve_policy_info',
    aggregator: 'max',
    help: 'Always 1; the version of the decision policy that a process decides by, as its decisions name it',
    labelNames: ['version'] as const,
    registers,
  }).set({ version }, 1);
  new Gauge({
    name: 'nextbest_serve_policies_in_force',
    aggregator: 'max',
    help: 'Decision policies that processes have decided by within three minutes, whichever process they are; more than 1: restart those of before',
    registers,
    collect() {
      this.set(inForce().length);
    },
  });
}

/** Offers with a budget, by whether it bears another one, as of the last decision. */
export function observeBudgets(
  registry: Registry,
  { budgetCounts, greatestBurnRate }: Pick<MarketHolder, 'budgetCounts' | 'greatestBurnRate'>,
): void {
  const registers = [registry];
  new Gauge({
    name: 'nextbest_serve_offer_budgets',
    aggregator: 'max',
    help: 'Offers with a budget that bears another one now (open), later in its period (paced), or not (exhausted), as of the last decision',
    labelNames: ['state'] as const,
    registers,
    collect() {
      const counts = budgetCounts();
      for (const state of ['open', 'paced', 'exhausted'] as const) this.set({ state }, counts[state]);
    },
  });
  new Gauge({
    name: 'nextbest_serve_offer_budget_burn_rate',
    aggregator: 'max',
    help: 'Of the budget that goes the fastest: share of it that is out or spent, over the share of its period that has passed; 1 = used up just when the period ends',
    registers,
    collect() {
      const rate = greatestBurnRate();
      if (rate === undefined) this.remove();
      else this.set(rate);
    },
  });
}
