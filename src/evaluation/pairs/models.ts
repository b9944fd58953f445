/** Every model of pairs that stands for itself, in the order in which they are measured. */
import { ease } from './models/ease.ts';
import { ials } from './models/ials.ts';
import { lowPass } from './models/low-pass.ts';
import { itemKnn, rp3beta } from './models/neighbours.ts';
import { popularity } from './models/popularity.ts';
import type { PairModel } from './pair-model.ts';

export const PAIR_MODELS: readonly PairModel[] = [popularity, itemKnn, rp3beta, lowPass, ease, ials];
