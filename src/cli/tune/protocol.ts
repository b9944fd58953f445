/** `nextbest tune --protocol`: the models of a public protocol. */
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { createKernels } from '../../algorithms/kernels/kernels.ts';
import { UsageError } from '../../domain/errors.ts';
import type { Trial } from '../../evaluation/search/propose.ts';
import { openTrialStore } from '../../evaluation/search/trial-store.ts';
import { openKernelRuntime } from '../../infra/kernel-runtime.ts';
import type { Output } from '../output.ts';
import { type ProtocolName, RUNNABLE, trainingFileOf } from '../protocols.ts';
import type { TuneFlags } from '../tune.ts';

export async function tuneProtocol(
  protocol: ProtocolName,
  out: string,
  flags: TuneFlags,
  output: Output,
): Promise<void> {
  const trainPath = trainingFileOf(protocol, flags);
  const bytes = await sizeOf(trainPath);
  const subject = { protocol, file: basename(trainPath), bytes, seed: flags.seed };
  const store = await openTrialStore(out, subject);
  const kernels = await createKernels(await openKernelRuntime(), { threads: availableParallelism() });
  try {
    const tuned = await RUNNABLE[protocol].tune({
      trainPath,
      only: flags.model,
      budgetSeconds: flags.budgetSeconds,
      seed: flags.seed,
      store,
      kernels,
      clock: () => performance.now(),
      onData: output.say,
      onSkipped: (model, reason) => output.say(`${model} is not tuned. ${reason}`),
      onResumed: (model, trials) => output.say(`${model}: goes on after ${trials} trials`),
      onTrial: (model, trial, best) => output.say(trialLine(model, trial, best)),
    });
    for (const { model, trials, seconds, best } of tuned) {
      output.result(
        { model, trials, seconds, quality: best?.quality ?? null, params: best?.params ?? null },
        best
          ? `${model}: ${(best.quality ?? 0).toFixed(4)} after ${trials} trials with ${JSON.stringify(best.params)}`
          : `${model}: no trial of ${trials} came to an end`,
      );
    }
    output.say(`written: ${out}`);
  } finally {
    await kernels.close();
  }
}

function trialLine(
  model: string,
  { params, quality, seconds, fault }: Trial,
  best: Trial | undefined,
): string {
  const reached = quality === null ? `failed (${fault})` : quality.toFixed(4);
  const bestSoFar =
    best?.quality === undefined || best.quality === null ? '' : `, best ${best.quality.toFixed(4)}`;
  return `${model}: ${reached}${bestSoFar}, ${seconds.toFixed(1)} s, ${JSON.stringify(params)}`;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    throw new UsageError(`${path} cannot be read: there is no such file.`, { cause });
  }
}
