/** What `nextbest bench kernels` measures: each kernel, and its plain typed-array version. */
import { type CsrMatrix, transpose } from '../../algorithms/csr.ts';
import { gramOf, multiplyRows } from '../../algorithms/dense.ts';
import { createRowSolver, rowRegularization } from '../../algorithms/ials-row.ts';
import type { Kernels, RowMethod, SharedFactors } from '../../algorithms/kernels/kernels.ts';
import { createCgSolver } from '../../algorithms/kernels/oracle/ials-cg.ts';
import { invertInPlace } from '../../algorithms/kernels/oracle/inverse.ts';
import { itemProductRows } from '../../algorithms/kernels/oracle/item-products.ts';
import { createRankerScorer } from '../../algorithms/ranker/ranker.ts';
import { createRng } from '../../algorithms/rng.ts';
import { topK } from '../../algorithms/top-k.ts';
import { leastTimes } from './measure.ts';

export type KernelCase = {
  name: string;
  threads: readonly number[];
  /** CPU time of the typed-array version, and the share of its work that was run (the rest is reckoned). */
  oracle: () => Promise<{ cpuSeconds: number; share: number }>;
  prepare: (kernels: Kernels) => PreparedCase;
};

export type PreparedCase = {
  work: () => unknown;
  /** Calls that one run of `work` makes. */
  calls: number;
  /** Before each run, untimed. */
  before?: () => Promise<unknown>;
  release: () => void;
};

const OBJECTIVE = { unobservedWeight: 0.1, regularization: 0.003, regularizationExponent: 1 };
const CG_STEPS = 3;
/** Lengths as the factors of what sells have them: the natural logarithm's spread. */
const SCREENED = { items: 200_000, size: 64, k: 100, calls: 50, lengthSpread: 0.9 };
const SCAN = { items: 50_000, size: 64, k: 100, calls: 50 };
/** As the ranker has them, for the candidates of one customer. */
const NETWORK = { sizes: [33, 32, 16, 1], rows: 400, calls: 200 };
const EASE_RIDGE = 300;
/** Enough for the first to be compiled, and for one of the others to be left alone by what else the machine does. */
const ORACLE_REPEATS = 3;

/** `oracleStride`: the slow oracles solve every n-th row, or a matrix of an n-th of the rows. */
export function kernelCases(userItems: CsrMatrix, oracleStride: number): KernelCase[] {
  const itemUsers = transpose(userItems);
  return [
    ...[64, 128].flatMap((size) => [
      ialsCase(userItems, itemUsers, size, { kind: 'cholesky' }, oracleStride),
      ialsCase(userItems, itemUsers, size, { kind: 'cg', steps: CG_STEPS }, oracleStride),
      gramCase(userItems.rows, size),
    ]),
    scanCase(),
    screenedScanCase(),
    networkCase(),
    easeInverseCase(userItems, oracleStride),
    itemCountsCase(userItems),
  ];
}

/** One iteration: the users' half step, then the items'. */
function ialsCase(
  userItems: CsrMatrix,
  itemUsers: CsrMatrix,
  size: number,
  method: RowMethod,
  stride: number,
): KernelCase {
  const users = smallFactors(userItems.rows, size, 'users');
  const items = smallFactors(userItems.cols, size, 'items');
  return {
    name: `ials-${method.kind}-d${size}`,
    threads: [1, 2],
    oracle: async () => {
      const halves = [
        solveEvery(stride, userItems, items, users.slice(), size, method),
        solveEvery(stride, itemUsers, users, items.slice(), size, method),
      ];
      let cpuSeconds = 0;
      for (const { gram, rows, scale } of halves) {
        cpuSeconds += (await leastTimes(ORACLE_REPEATS, gram)).cpuSeconds;
        cpuSeconds += (await leastTimes(ORACLE_REPEATS, rows)).cpuSeconds * scale;
      }
      return { cpuSeconds, share: 1 / stride };
    },
    prepare: (kernels) => {
      const matrices = [kernels.shareMatrix(userItems), kernels.shareMatrix(itemUsers)] as const;
      const x = kernels.factors(userItems.rows, size, users);
      const y = kernels.factors(userItems.cols, size, items);
      const half = (matrix: CsrMatrix, fixed: SharedFactors, free: SharedFactors) => {
        const { unobservedWeight } = OBJECTIVE;
        const regularization = ridgesOf(matrix);
        return () => kernels.ialsHalfStep({ matrix, fixed, free, regularization, unobservedWeight, method });
      };
      const halves = [half(matrices[0], y, x), half(matrices[1], x, y)];
      return {
        calls: 1,
        work: async () => {
          for (const step of halves) await step();
        },
        release: () => {
          for (const what of [...matrices, x, y]) kernels.release(what);
        },
      };
    },
  };
}

/** A half step of the oracle on every n-th row; `scale` is by how much all rows are more work. */
function solveEvery(
  stride: number,
  matrix: CsrMatrix,
  fixed: Float32Array,
  free: Float32Array,
  size: number,
  method: RowMethod,
): { gram: () => void; rows: () => void; scale: number } {
  const { rows, indptr, indices, data } = matrix;
  let gram: Float64Array = new Float64Array();
  let workAll = 0;
  let workDone = 0;
  for (let r = 0; r < rows; r++) {
    const entries = (indptr[r + 1] ?? 0) - (indptr[r] ?? 0);
    const work =
      method.kind === 'cg'
        ? (method.steps + 1) * (size * size + 2 * size * entries)
        : (size * size * entries) / 2 + size ** 3 / 6;
    workAll += work;
    if (r % stride === 0) workDone += work;
  }
  return {
    scale: workAll / workDone,
    gram: () => {
      gram = gramOf(fixed, size);
    },
    rows: () => {
      if (method.kind === 'cg') {
        const scaledGram = wholeScaled(gram, size, OBJECTIVE.unobservedWeight);
        const problem = { matrix, fixed, size, scaledGram, regularization: ridgesOf(matrix) };
        const solve = createCgSolver(problem, method.steps);
        for (let r = 0; r < rows; r += stride) solve(free, r);
      } else {
        const solve = createRowSolver({ factors: fixed, size, gram }, OBJECTIVE);
        for (let r = 0; r < rows; r += stride)
          solve(indices, data, indptr[r] ?? 0, indptr[r + 1] ?? 0, free, r * size);
      }
    },
  };
}

function gramCase(rows: number, size: number): KernelCase {
  const values = smallFactors(rows, size, 'gram');
  return {
    name: `gram-d${size}`,
    threads: [1, 2],
    oracle: async () => ({ ...(await leastTimes(ORACLE_REPEATS, () => gramOf(values, size))), share: 1 }),
    prepare: (kernels) => {
      const factors = kernels.factors(rows, size, values);
      const calls = 10;
      return {
        calls,
        work: async () => {
          for (let call = 0; call < calls; call++) await kernels.gram(factors);
        },
        release: () => kernels.release(factors),
      };
    },
  };
}

function scanCase(): KernelCase {
  const { items, size, k, calls } = SCAN;
  const values = smallFactors(items, size, 'scan');
  const vectors = Array.from({ length: calls }, (_, call) => smallFactors(1, size, 'scan', call));
  const scores = new Float32Array(items);
  return {
    name: `scan-${items}x${size}-top${k}`,
    threads: [1],
    oracle: async () => {
      const times = await leastTimes(ORACLE_REPEATS, () => {
        for (const vector of vectors) {
          multiplyRows(values, vector, scores);
          topK(scores, k);
        }
      });
      return { cpuSeconds: times.cpuSeconds / calls, share: 1 };
    },
    prepare: (kernels) => {
      const factors = kernels.factors(items, size, values);
      return {
        calls,
        work: () => {
          for (const vector of vectors) kernels.scanTopK(factors, vector, k);
        },
        release: () => kernels.release(factors),
      };
    },
  };
}

/** Beside the same scan in plain arithmetic, which reads all factors whole. */
function screenedScanCase(): KernelCase {
  const { items, size, k, calls, lengthSpread } = SCREENED;
  const lengths = createRng('bench-factors', 'lengths');
  const values = smallFactors(items, size, 'screened');
  for (let r = 0; r < items; r++) {
    const length = Math.exp(lengthSpread * lengths.normal());
    for (let f = r * size; f < (r + 1) * size; f++) values[f] = (values[f] ?? 0) * length;
  }
  const vectors = Array.from({ length: calls }, (_, call) => smallFactors(1, size, 'screened', call));
  const scores = new Float32Array(items);
  return {
    name: `screened-scan-${items}x${size}-top${k}`,
    threads: [1],
    oracle: async () => {
      const some = vectors.slice(0, 5);
      const times = await leastTimes(ORACLE_REPEATS, () => {
        for (const vector of some) {
          multiplyRows(values, vector, scores);
          topK(scores, k);
        }
      });
      return { cpuSeconds: times.cpuSeconds / some.length, share: some.length / calls };
    },
    prepare: (kernels) => {
      const factors = kernels.factors(items, size, values);
      const { byProduct } = kernels.screen(factors);
      return {
        calls,
        work: () => {
          for (const vector of vectors) byProduct(vector, k);
        },
        release: () => kernels.release(factors),
      };
    },
  };
}

function networkCase(): KernelCase {
  const { sizes, rows, calls } = NETWORK;
  const [width = 0] = sizes;
  const layers = sizes.slice(1).map((outputs, l) => {
    const inputs = sizes[l] ?? 0;
    const weights = smallFactors(inputs, outputs, 'network', l);
    return { inputs, outputs, weights, bias: smallFactors(1, outputs, 'bias', l) };
  });
  const features = smallFactors(rows, width, 'features');
  const scores = new Float32Array(rows);
  const times = (score: (rows: Float32Array, count: number, out: Float32Array) => void) => () => {
    for (let call = 0; call < calls; call++) score(features, rows, scores);
  };
  const mean = new Float32Array(width);
  const spread = new Float32Array(width).fill(1);
  return {
    name: `network-${rows}x${sizes.join('-')}`,
    threads: [1],
    oracle: async () => {
      const score = createRankerScorer({ kind: 'network', featureNames: [], mean, spread, layers });
      const { cpuSeconds } = await leastTimes(ORACLE_REPEATS, times(score));
      return { cpuSeconds: cpuSeconds / calls, share: 1 };
    },
    prepare: (kernels) => ({ calls, work: times(kernels.network(layers)), release: () => {} }),
  };
}

function easeInverseCase(userItems: CsrMatrix, stride: number): KernelCase {
  const size = userItems.cols;
  return {
    name: `ease-inverse-n${size}`,
    threads: [1, 2],
    oracle: async () => {
      // n³ operations: a minute at full size, so that a corner of the matrix stands for it, to the oracle's advantage:
      // the corner fits into the cache.
      const corner = Math.ceil(size / Math.cbrt(stride * 8));
      const gram = new Float64Array(corner * corner);
      itemProductRows(userItems, (i, products) => {
        if (i < corner) gram.set(products.subarray(0, corner), i * corner);
      });
      for (let i = 0; i < corner; i++) gram[i * corner + i] = (gram[i * corner + i] ?? 0) + EASE_RIDGE;
      const copy = new Float64Array(gram.length);
      const { cpuSeconds } = await leastTimes(
        ORACLE_REPEATS,
        () => invertInPlace(copy, corner),
        () => copy.set(gram),
      );
      const share = (corner / size) ** 3;
      return { cpuSeconds: cpuSeconds / share, share };
    },
    prepare: (kernels) => {
      let gram = kernels.symmetric(1);
      return {
        calls: 1,
        before: async () => {
          kernels.release(gram);
          gram = await kernels.itemGram(userItems, EASE_RIDGE);
        },
        work: () => kernels.invertSymmetric(gram),
        release: () => kernels.release(gram),
      };
    },
  };
}

/** How often each two items were bought by the same customer. */
function itemCountsCase(userItems: CsrMatrix): KernelCase {
  const ones = { ...userItems, data: new Float32Array(userItems.data.length).fill(1) };
  return {
    name: 'item-counts',
    threads: [1, 2],
    oracle: async () => ({
      ...(await leastTimes(ORACLE_REPEATS, () => itemProductRows(ones, () => {}))),
      share: 1,
    }),
    prepare: (kernels) => ({
      calls: 1,
      work: () => kernels.itemProducts(ones, { minimum: 1 }, () => {}),
      release: () => {},
    }),
  };
}

function ridgesOf({ rows, cols, indptr, data }: CsrMatrix): Float32Array {
  return Float32Array.from({ length: rows }, (_, r) => {
    const weights = data.subarray(indptr[r], indptr[r + 1]);
    return rowRegularization(
      OBJECTIVE,
      weights.reduce((sum, weight) => sum + weight, 0),
      cols,
    );
  });
}

/** Normal factors of spread 0.1 / √d, as iALS begins with. */
function smallFactors(rows: number, size: number, ...seeds: (number | string)[]): Float32Array {
  const rng = createRng('bench-factors', ...seeds);
  return Float32Array.from({ length: rows * size }, () => (0.1 / Math.sqrt(size)) * rng.normal());
}

/** The whole of a symmetric matrix's lower half, scaled. */
function wholeScaled(lower: Float64Array, size: number, scale: number): Float64Array {
  return Float64Array.from({ length: size * size }, (_, at) => {
    const i = Math.floor(at / size);
    const j = at % size;
    return scale * (lower[Math.max(i, j) * size + Math.min(i, j)] ?? 0);
  });
}
