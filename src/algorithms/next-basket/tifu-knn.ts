import { type CsrMatrix, transpose } from '../csr.ts';
import { createNearestRows, rowNorms } from '../nearest-rows.ts';
import type { BasketLog } from './basket-log.ts';
import { addRow, decayedFrequency, type GroupDecay, groupDecayWeight } from './decayed-frequency.ts';

/** Adds a user's scores, times a factor, to `out` (as many as items). What it does not know it leaves alone. */
export type AddScores = (user: number, factor: number, out: Float32Array) => void;

export type TifuKnnOptions = GroupDecay & {
  /** k: users whose vectors are averaged. */
  neighbours: number;
  /** α: weight of the user's own vector; the neighbours' mean has the rest. */
  ownWeight: number;
};

/**
 * TIFU-KNN (Hu, He, Gao and Zhang, SIGIR 2020): P(u) = α · v_u + (1 − α) · mean of the k nearest users' v (eq. 4), where v
 * is the temporal item frequency. Nearest is by cosine, where the paper takes the Euclidean distance: only users who share
 * an item need be looked at.
 */
export function createTifuKnn(log: BasketLog, options: TifuKnnOptions): AddScores {
  const vectors = decayedFrequency(log, groupDecayWeight(options));
  const addNeighbours = createNeighbourMean(vectors, options.neighbours);
  const { ownWeight } = options;
  return (user, factor, out) => {
    if (ownWeight > 0) addRow(vectors, user, factor * ownWeight, out);
    if (ownWeight < 1) addNeighbours(user, factor * (1 - ownWeight), out);
  };
}

/** The mean vector of the k users with the highest cosine to the user, who is none of them. */
export function createNeighbourMean(vectors: CsrMatrix, k: number): AddScores {
  const scale = rowNorms(vectors).map((norm) => (norm > 0 ? 1 / norm : 0));
  const nearest = createNearestRows(transpose(vectors), scale);
  const rows = new Int32Array(k);
  const similarities = new Float32Array(k);
  return (user, factor, out) => {
    const { indices, data, indptr } = vectors;
    const query = { indices, data, from: indptr[user]!, to: indptr[user + 1]! };
    const found = nearest.find(query, k, user, rows, similarities);
    for (let n = 0; n < found; n++) addRow(vectors, rows[n]!, factor / found, out);
  };
}
