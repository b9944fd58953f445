/** Models that are fitted to the same data once, although they are measured by themselves and as a part of another. */
import { createRng } from '../algorithms/rng.ts';
import type { Model } from './model.ts';

type Releasable = { release?: () => void };

/** Hyper-parameters of a model must stay the same while it lives. */
export class SharedFits<Data, Scorer extends Releasable> {
  /** Seconds of fits that were asked for again. */
  savedSeconds = 0;
  readonly #fits = new Map<string, { scorer: Scorer; seconds: number }>();
  readonly #data: Data;
  readonly #seed: number;
  readonly #clock: () => number;

  /** Fits to `data` are kept, to other data made anew. `clock` gives milliseconds. */
  constructor(data: Data, seed: number, clock: () => number) {
    this.#data = data;
    this.#seed = seed;
    this.#clock = clock;
  }

  /** The same model, whose randomness depends on the seed and its name alone, and not on who asks. */
  wrap(model: Model<Data, Scorer>): Model<Data, Scorer> {
    return {
      ...model,
      fit: async (data, params, context) => {
        const seeded = { ...context, rng: createRng(this.#seed, 'model', model.name) };
        if (data !== this.#data) return model.fit(data, params, seeded);
        const known = this.#fits.get(model.name);
        if (known !== undefined) {
          this.savedSeconds += known.seconds;
          return known.scorer;
        }
        const startedAt = this.#clock();
        const fitted = await model.fit(data, params, seeded);
        // Whoever is done with it is not the only one who uses it.
        const scorer = { ...fitted, release: () => {} };
        this.#fits.set(model.name, { scorer, seconds: (this.#clock() - startedAt) / 1000 });
        this.#releases.push(() => fitted.release?.());
        return scorer;
      },
    };
  }

  readonly #releases: (() => void)[] = [];

  release(): void {
    for (const release of this.#releases.splice(0)) release();
    this.#fits.clear();
  }
}
