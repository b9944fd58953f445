/**
 * Implicit alternating least squares (Hu, Koren and Volinsky, ICDM 2008) in the form and with the regularisation of
 * Rendle, Krichene, Zhang and Koren 2021 ("Revisiting the Performance of iALS", arXiv 2110.14037). It minimises
 *
 *   Σ₍u,i₎∈S w_ui (1 − x_u·y_i)²  +  α₀ Σ_u,i (x_u·y_i)²  +  Σ_u λ_u |x_u|²  +  Σ_i λ_i |y_i|²
 *   λ_u = λ (Σ_i w_ui + α₀ |I|)^ν,   λ_i = λ (Σ_u w_ui + α₀ |U|)^ν
 *
 * where S are the cells of the matrix, w their values (confidence − 1) and α₀ the weight of every cell. The scores
 * x_u·y_i rank; they are no probabilities.
 */
import { z } from 'zod';
import { type CsrMatrix, transpose } from './csr.ts';
import { gramOf } from './dense.ts';
import { createRowSolver, type FixedSide, type RowObjective, rowRegularization } from './ials-row.ts';
import type { Kernels, RowMethod, SharedFactors } from './kernels/kernels.ts';
import type { Rng } from './rng.ts';

export const IalsOptions = z.strictObject({
  /** Dimension d of the factors; time grows with d a cell and d² a row, by Cholesky with d² and d³. */
  factors: z.int().min(1).max(256).default(64),
  /** Passes over both sides. */
  iterations: z.int().positive().max(200).default(6),
  /** L2 weight λ. */
  regularization: z.number().positive().default(0.003),
  /** ν: 1 regularises each row by how much was seen of it, 0 all rows alike. */
  regularizationExponent: z.number().min(0).max(1).default(1),
  /** α₀: weight of a cell in which nothing was seen, where a bought item's is about 1. */
  unobservedWeight: z.number().positive().default(0.3),
  /** Standard deviation of the first factors is this over √d (section 4.4 of Rendle et al.). */
  initialSpread: z.number().positive().default(0.1),
  /** How a row is solved: `cg` comes nearer to its minimum by so many steps of conjugate gradients, `cholesky` goes there. */
  method: z.enum(['cg', 'cholesky']).default('cg'),
  cgSteps: z.int().positive().max(256).default(3),
});
export type IalsOptions = z.output<typeof IalsOptions>;

export type IalsFactors = {
  /** items × factors. */
  itemFactors: Float32Array;
  /** Gram matrix of the item factors, factors × factors, lower half: what a customer is folded in with. */
  itemGram: Float64Array;
  /** Gram matrix of the user factors, lower half: what an item is folded in with (`foldInItem`). */
  userGram: Float64Array;
  /** users × factors, where they were asked for: serving solves them from the items' whenever they are wanted. */
  userFactors: Float32Array | undefined;
};

/** Factors that are known of some rows of one side, from an earlier training. */
export type KnownFactors = {
  /** Row of the matrix that each belongs to. */
  rows: Int32Array;
  /** rows.length × factors. */
  factors: Float32Array;
};

/** Told the share of the work that is done, a few times a second; training waits for what it returns. */
export type OnShare = (share: number) => void | Promise<void>;

export type IalsRun = {
  /** Draws the first factors of items that `start` does not know. */
  rng: Rng;
  /** Warm start. Items that are not in it begin at random, users at zero. RangeError where it does not fit. */
  start?: { users?: KnownFactors; items?: KnownFactors } | undefined;
  withUserFactors?: boolean;
  onProgress?: OnShare | undefined;
  /** Ends the training within a few rows; it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
};

/**
 * Learns the factors of `userItems` (users × items, values confidence − 1 ≥ 0). The same rng gives the same factors,
 * however many threads there are. Takes 4·d bytes a row of shared memory and 16 a cell, and gives them back.
 * RangeError when that does not suffice, and from Cholesky when λ is too small for single precision.
 */
export async function fitIals(
  kernels: Kernels,
  userItems: CsrMatrix,
  options: IalsOptions,
  run: IalsRun,
): Promise<IalsFactors> {
  const { factors, iterations, initialSpread } = options;
  const { rng, start, onProgress = () => {}, signal } = run;
  const shared: (CsrMatrix | SharedFactors)[] = [];
  const keep = <T extends CsrMatrix | SharedFactors>(what: T): T => {
    shared.push(what);
    return what;
  };
  try {
    const spread = initialSpread / Math.sqrt(factors);
    const users = keep(kernels.factors(userItems.rows, factors));
    const items = keep(kernels.factors(userItems.cols, factors));
    fillRows(items, () => spread * rng.normal());
    writeKnown(users, start?.users);
    writeKnown(items, start?.items);
    const sides = [
      sideOf(keep(kernels.shareMatrix(userItems)), items, users, options),
      sideOf(keep(kernels.shareMatrix(transpose(userItems))), users, items, options),
    ] as const;

    const halves = 2 * iterations;
    const method: RowMethod =
      options.method === 'cg' ? { kind: 'cg', steps: options.cgSteps } : { kind: 'cholesky' };
    for (let half = 0; half < halves; half++) {
      const progress = oneAtATime((share) => onProgress((half + share) / halves));
      await kernels.ialsHalfStep({ ...sides[half % 2]!, method, onProgress: progress.tell, signal });
      await progress.settled();
      await onProgress((half + 1) / halves);
    }
    const itemFactors = kernels.readFactors(items);
    return {
      itemFactors,
      itemGram: gramOf(itemFactors, factors),
      userGram: Float64Array.from(await kernels.gram(users)),
      userFactors: run.withUserFactors === true ? kernels.readFactors(users) : undefined,
    };
  } finally {
    for (const what of shared) kernels.release(what);
  }
}

/**
 * Factors of an item that training has not seen, from those who bought it: the row that training would have solved for
 * it. `buyers` holds their factors, with the Gram matrix and the number of all users; `weights` are those of their
 * purchases (confidence − 1).
 */
export function foldInItem(
  buyers: FixedSide & { rows: number },
  weights: Float32Array,
  objective: RowObjective,
): Float32Array {
  const out = new Float32Array(buyers.size);
  const everyone = Int32Array.from(weights.keys());
  createRowSolver(buyers, objective)(everyone, weights, 0, weights.length, out, 0);
  return out;
}

/** What stays the same of a side's half steps. */
function sideOf(matrix: CsrMatrix, fixed: SharedFactors, free: SharedFactors, options: IalsOptions) {
  const regularization = new Float32Array(matrix.rows);
  for (let r = 0; r < matrix.rows; r++) {
    let weightSum = 0;
    for (let p = matrix.indptr[r]!; p < matrix.indptr[r + 1]!; p++) weightSum += matrix.data[p]!;
    regularization[r] = rowRegularization(options, weightSum, matrix.cols);
  }
  return { matrix, fixed, free, regularization, unobservedWeight: options.unobservedWeight };
}

/** Sets every value but the padding. */
function fillRows({ rows, size, stride, values }: SharedFactors, draw: () => number): void {
  for (let r = 0; r < rows; r++) for (let f = 0; f < size; f++) values[r * stride + f] = draw();
}

function writeKnown({ rows, size, stride, values }: SharedFactors, known: KnownFactors | undefined): void {
  if (known === undefined) return;
  if (known.factors.length !== known.rows.length * size)
    throw new RangeError(
      `${known.factors.length} values are not ${known.rows.length} rows of ${size} factors`,
    );
  for (const [n, row] of known.rows.entries()) {
    if (!(row >= 0 && row < rows)) throw new RangeError(`known factors name row ${row} of ${rows}`);
    values.set(known.factors.subarray(n * size, (n + 1) * size), row * stride);
  }
}

/** Hands shares on to a listener that may take its time: what comes meanwhile is left out. */
function oneAtATime(listener: OnShare): { tell: (share: number) => void; settled: () => Promise<void> } {
  let pending: Promise<void> | undefined;
  let failure: { cause: unknown } | undefined;
  const call = async (share: number) => {
    try {
      await listener(share);
    } catch (cause) {
      failure ??= { cause };
    }
    pending = undefined;
  };
  return {
    tell: (share) => {
      pending ??= call(share);
    },
    settled: async () => {
      await pending;
      if (failure !== undefined) throw failure.cause;
    },
  };
}
