import { transpose } from '../csr.ts';
import { createNearestRows } from '../nearest-rows.ts';
import type { BasketLog } from './basket-log.ts';
import { addRow, decayedFrequency, recentShareWeight } from './decayed-frequency.ts';
import type { AddScores } from './tifu-knn.ts';

export type UpCfOptions = {
  /** r: a user's last baskets that count as recent. 0: all. */
  recentBaskets: number;
  /** α of the asymmetric cosine: 0.5 is the cosine, 1 the share of the user's own items that the neighbour has. */
  asymmetry: number;
  /** q: similarities are raised to this power; the higher, the more the closest users decide. */
  locality: number;
  /** Users that are summed up, at most, the user among them: those of the highest similarity. */
  neighbours: number;
  /** Whether the user counts as a neighbour, of similarity 1; true in the paper. */
  includeSelf?: boolean;
};

/**
 * UP-CF (Faggioli, Polato and Aiolli, UMAP 2020): score(u, i) = Σ_v sim(u, v)^q · pop_r(v, i), where pop_r is the share of
 * v's last r baskets that hold i, and sim = |I_u ∩ I_v| / (|I_u|^α |I_v|^(1 − α)) over all items ever bought.
 */
export function createUpCf(log: BasketLog, options: UpCfOptions): AddScores {
  const { asymmetry, locality, neighbours, includeSelf = true } = options;
  const popularity = decayedFrequency(log, recentShareWeight(options.recentBaskets));
  const shares = decayedFrequency(log, recentShareWeight(0));
  const bought = { ...shares, data: new Float32Array(shares.data.length).fill(1) };
  const counts = Float32Array.from(
    { length: bought.rows },
    (_, u) => bought.indptr[u + 1]! - bought.indptr[u]!,
  );
  const scale = counts.map((count) => (count > 0 ? count ** (asymmetry - 1) : 0));
  const nearest = createNearestRows(transpose(bought), scale);
  const rows = new Int32Array(neighbours);
  const similarities = new Float32Array(neighbours);
  return (user, factor, out) => {
    if (counts[user] === 0) return;
    const { indices, data, indptr } = bought;
    const query = { indices, data, from: indptr[user]!, to: indptr[user + 1]! };
    const found = nearest.find(query, neighbours, includeSelf ? -1 : user, rows, similarities);
    const own = counts[user]! ** -asymmetry;
    for (let n = 0; n < found; n++)
      addRow(popularity, rows[n]!, factor * (similarities[n]! * own) ** locality, out);
  };
}
