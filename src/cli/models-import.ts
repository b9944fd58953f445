/** `nextbest models import`: a collaborative model around item factors that another engine has learned. */
import { openLake } from '../history/lake.ts';
import { readConfig } from '../infra/config.ts';
import { createLogger } from '../infra/logger.ts';
import { importFactors } from '../train/collaborative/import-factors.ts';
import { readFactors } from '../train/collaborative/read-factors.ts';
import { openKernels } from '../train/open-kernels.ts';
import type { Output } from './output.ts';
import { timeOf } from './time-flag.ts';

export type ImportFlags = { alpha: number; regularization: number; learnedBefore?: string; since?: string };

export async function importModel(
  files: readonly string[],
  flags: ImportFlags,
  output: Output,
): Promise<void> {
  const config = readConfig(process.env);
  const learnedBefore = timeOf('--learned-before', flags.learnedBefore);
  const since = timeOf('--since', flags.since);
  const lake = await openLake(config.dataDir);
  const kernels = await openKernels(config.kernelThreads);
  try {
    const { version, published, reason, metrics } = await importFactors(
      {
        lake,
        kernels,
        modelsDir: config.modelsDir,
        seed: 1,
        now: Date.now(),
        random: Math.random,
        log: createLogger(config.logLevel === 'info' ? 'warn' : config.logLevel, 'models'),
        report: (_share, stage) => output.say(`${stage} …`),
      },
      {
        factors: await readFactors(files, lake.connection),
        alpha: flags.alpha,
        regularization: flags.regularization,
        ...(since !== undefined && { since }),
        ...(learnedBefore !== undefined && { learnedBefore }),
      },
    );
    output.result(
      { name: 'collaborative', version, current: published, reason, metrics },
      `collaborative ${version}: ${reason}` +
        (published ? '' : `\nTo serve it: nextbest models promote collaborative ${version}`),
    );
  } finally {
    await kernels.close();
    lake.close();
  }
}
