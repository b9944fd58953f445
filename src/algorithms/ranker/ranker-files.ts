/** The ranker, and what only it reads, as typed arrays and JSON tables. Models of before have neither. */
import { z } from 'zod';
import type { RankerSources } from '../collaborative-model.ts';
import { indexExemplars } from '../customer-neighbours.ts';
import type { DenseLayer } from '../mlp.ts';
import {
  type Arrays,
  matrixArrays,
  misfit,
  readArray,
  readMatrix,
  readTable,
  type Tables,
} from '../model-parts.ts';
import { RANKER_FEATURES } from './features.ts';
import type { Ranker } from './ranker.ts';

type Files = { arrays: Arrays; tables: Tables };

const SourcesTable = z.object({
  habitHalfLifeDays: z.number().positive(),
  exemplars: z.int().min(0),
  customers: z.object({
    halfLifeDays: z.number().positive(),
    neighbours: z.int().positive(),
    locality: z.number().min(0),
    ownWeight: z.number().min(0).max(1),
  }),
});
const RankerTable = z.object({
  kind: z.enum(['linear', 'network']),
  features: z.array(z.string()),
  /** Inputs, hidden units, outputs; for `linear` none. */
  widths: z.array(z.int().positive()),
});

export function sourcesToFiles({ facts, customers, habitHalfLifeDays, ease }: RankerSources): Files {
  const { exemplars, halfLifeDays, neighbours, locality, ownWeight } = customers;
  return {
    arrays: {
      itemCategory: facts.category,
      itemLogPrice: facts.logPrice,
      itemDaysOnSale: facts.daysOnSale,
      itemDaysSinceSold: facts.daysSinceSold,
      itemTrend: facts.trend,
      itemLogSales: facts.logSales,
      ...matrixArrays('exemplars', exemplars),
      ...(ease && matrixArrays('ease', ease)),
    },
    tables: {
      sources: {
        habitHalfLifeDays,
        exemplars: exemplars.rows,
        customers: { halfLifeDays, neighbours, locality, ownWeight },
      } satisfies z.output<typeof SourcesTable>,
    },
  };
}

export function sourcesFromFiles(arrays: Arrays, tables: Tables, items: number): RankerSources | undefined {
  if (tables.sources === undefined) return undefined;
  const { habitHalfLifeDays, exemplars, customers } = readTable(tables, 'sources', SourcesTable);
  const fact = (name: string) => readArray(arrays, name, Float32Array, items);
  return {
    facts: {
      category: readArray(arrays, 'itemCategory', Int32Array, items),
      logPrice: fact('itemLogPrice'),
      daysOnSale: fact('itemDaysOnSale'),
      daysSinceSold: fact('itemDaysSinceSold'),
      trend: fact('itemTrend'),
      logSales: fact('itemLogSales'),
    },
    customers: { ...indexExemplars(readMatrix(arrays, 'exemplars', exemplars, items)), ...customers },
    habitHalfLifeDays,
    ...(arrays.easeIndptr !== undefined && { ease: readMatrix(arrays, 'ease', items, items) }),
  };
}

export function rankerToFiles(ranker: Ranker): Files {
  const layers = ranker.kind === 'network' ? ranker.layers : [];
  const weights =
    ranker.kind === 'linear'
      ? ranker.weights
      : concatenate(layers.flatMap((layer) => [layer.weights, layer.bias]));
  return {
    arrays: { rankerMean: ranker.mean, rankerSpread: ranker.spread, rankerWeights: weights },
    tables: {
      ranker: {
        kind: ranker.kind,
        features: [...ranker.featureNames],
        widths: layers.length === 0 ? [] : [layers[0]!.inputs, ...layers.map(({ outputs }) => outputs)],
      } satisfies z.output<typeof RankerTable>,
    },
  };
}

/** undefined too where the ranker reads features of another build: the fusion by rank stands in until the next training. */
export function rankerFromFiles(arrays: Arrays, tables: Tables): Ranker | undefined {
  if (tables.ranker === undefined) return undefined;
  const { kind, features, widths } = readTable(tables, 'ranker', RankerTable);
  if (features.join() !== RANKER_FEATURES.join()) return undefined;
  const width = features.length;
  const scaling = {
    featureNames: RANKER_FEATURES,
    mean: readArray(arrays, 'rankerMean', Float32Array, width),
    spread: readArray(arrays, 'rankerSpread', Float32Array, width),
  };
  if (kind === 'linear')
    return { kind, ...scaling, weights: readArray(arrays, 'rankerWeights', Float32Array, 2 * width) };
  if (widths[0] !== width || widths.at(-1) !== 1 || widths.length < 2)
    throw misfit(`a network of ${widths.join(' → ')} cannot score ${width} features`);
  const length = widths.slice(1).reduce((sum, outputs, l) => sum + (widths[l]! + 1) * outputs, 0);
  const all = readArray(arrays, 'rankerWeights', Float32Array, length);
  const layers: DenseLayer[] = [];
  let at = 0;
  for (const [l, outputs] of widths.slice(1).entries()) {
    const inputs = widths[l]!;
    const weights = all.subarray(at, at + inputs * outputs);
    const bias = all.subarray(at + inputs * outputs, at + (inputs + 1) * outputs);
    layers.push({ inputs, outputs, weights, bias });
    at += (inputs + 1) * outputs;
  }
  return { kind, ...scaling, layers };
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
