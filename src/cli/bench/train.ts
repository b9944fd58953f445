/**
 * `nextbest bench train`: the way from a log to a model, at growing sizes: simulate, import, refresh the records,
 * collaborative filtering. Each stage is the very command that a shop runs, in processes of its own, with a private
 * Redis; what is measured is what all of them use.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openLake } from '../../history/lake.ts';
import { openBenchFolder } from './bench-place.ts';
import { runCommand } from './run-command.ts';

export const TRAIN_STAGES = ['simulate', 'import', 'refresh', 'collaborative'] as const;
export type TrainStage = (typeof TRAIN_STAGES)[number];

export type TrainBenchOptions = {
  /** Wanted lines of purchases, views and additions to the cart; the shop is made to have about as many. */
  interactions: number;
  seed: number;
  /** Where data and models are kept; absent: a folder that is deleted afterwards. */
  folder?: string | undefined;
  /** Stages to run; those before them must have been run in `folder`. */
  only: readonly TrainStage[];
};

export type TrainBenchLine = {
  /** In the lake. */
  interactions: number;
  customers: number;
  items: number;
  stage: TrainStage;
  wallSeconds: number;
  cpuSeconds: number;
  /** CPU time: it says the same on a machine that has something else to do. */
  microsPerInteraction: number;
  peakMb: number;
};

/** At so many days a simulated customer has some 30 interactions. */
const days = 190;
const interactionsPerCustomer = 30;
const customersPerItem = 10;

/** Runs the stages of one size, one after the other. UsageError where there is no /proc to measure by. */
export async function benchTrain(
  { interactions, seed, folder, only }: TrainBenchOptions,
  onLine: (line: TrainBenchLine) => void,
  say: (text: string) => void,
): Promise<void> {
  const customers = Math.max(100, Math.round(interactions / interactionsPerCustomer));
  const items = Math.max(50, Math.round(customers / customersPerItem));
  const { path: root, close } = await openBenchFolder(folder);
  const dataDir = join(root, 'data');
  const simulated = join(root, 'simulated');
  const env = { DATA_DIR: dataDir, MODELS_DIR: join(root, 'models') };
  const files = ['items', 'offers', 'customers', 'events'].map((name) => join(simulated, `${name}.ndjson`));
  const size = { customers, items, days, seed, end: '2026-10-31', out: simulated };
  const commands: Record<TrainStage, string[]> = {
    simulate: ['simulate', ...Object.entries(size).map(([flag, value]) => `--${flag}=${value}`)],
    import: ['import', '--preset', 'nextbest', ...files],
    refresh: ['train', 'refresh-features', '--force'],
    collaborative: ['train', 'train-collaborative', '--force'],
  };
  // How many there are is known once they are in the lake.
  const waiting: Omit<TrainBenchLine, 'interactions' | 'microsPerInteraction'>[] = [];
  const tell = async () => {
    const counted = await countInteractions(dataDir);
    if (counted === 0) return;
    for (const line of waiting.splice(0))
      onLine({
        interactions: counted,
        ...line,
        microsPerInteraction: (line.cpuSeconds * 1e6) / counted,
      });
  };
  try {
    for (const stage of TRAIN_STAGES.filter((name) => only.length === 0 || only.includes(name))) {
      say(`${interactions} interactions: ${stage} …`);
      waiting.push({ customers, items, stage, ...(await runCommand(commands[stage], env)) });
      await tell();
      if (stage === 'import' && folder === undefined) await rm(simulated, { recursive: true });
    }
  } finally {
    await close();
  }
}

async function countInteractions(dataDir: string): Promise<number> {
  const lake = await openLake(dataDir);
  try {
    const counted = await lake.connection.runAndReadAll(
      `SELECT count(*)::DOUBLE FROM ${lake.from('events')} WHERE type IN ('purchase', 'view', 'addToCart')`,
    );
    return Number(counted.value(0, 0));
  } finally {
    lake.close();
  }
}
