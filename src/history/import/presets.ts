/** Every preset that reads orders, by name. A preset of your own: one file in `presets/` and a line here. */
import { UsageError } from '../../domain/errors.ts';
import type { Preset } from './preset.ts';
import { completeJourney } from './presets/completejourney.ts';
import { type GenericOptions, genericPreset } from './presets/generic.ts';
import { shopifyOrders } from './presets/shopify-orders.ts';
import { uciOnlineRetail } from './presets/uci-online-retail.ts';
import { wooCommerce } from './presets/woocommerce.ts';

const ORDER_PRESETS = {
  'uci-online-retail': uciOnlineRetail,
  completejourney: completeJourney,
  'shopify-orders': shopifyOrders,
  woocommerce: wooCommerce,
  generic: genericPreset(),
} as const satisfies Record<string, Preset>;

/** The service's own files: events, items and offers. They need no mapping, and are read by `own-log.ts`. */
export const OWN_PRESET = 'nextbest';

export type PresetName = keyof typeof ORDER_PRESETS | typeof OWN_PRESET;

export const PRESET_SUMMARIES: readonly (readonly [name: string, summary: string])[] = [
  ...Object.values<Preset>(ORDER_PRESETS).map(({ name, summary }) => [name, summary] as const),
  [OWN_PRESET, "nextbest's own NDJSON: events, items and offers, as `nextbest simulate` writes them"],
];

/** Throws a UsageError that lists the presets where the name is unknown. */
export function findPreset(name: string, generic: GenericOptions): Preset {
  if (name === 'generic') return genericPreset(generic);
  const preset = Object.values<Preset>(ORDER_PRESETS).find((candidate) => candidate.name === name);
  if (preset === undefined) throw unknownPreset(name);
  return preset;
}

function unknownPreset(name: string): UsageError {
  const list = PRESET_SUMMARIES.map(([known, summary]) => `  ${known.padEnd(20)}${summary}`).join('\n');
  return new UsageError(`There is no preset "${name}". The presets are:\n${list}`);
}
