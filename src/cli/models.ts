/** `nextbest models`: what has been published, and which version is served. */
import { Command, InvalidArgumentError } from 'commander';
import { AppError, UsageError } from '../domain/errors.ts';
import { type ModelManifest, ModelName, ModelVersion } from '../domain/manifest.ts';
import { FEATURE_SCHEMA } from '../features/registry.ts';
import { readConfig } from '../infra/config.ts';
import { listModels, promoteModel, rollbackModel } from '../infra/model-store.ts';
import type { ImportFlags } from './models-import.ts';
import { type Output, outputOf } from './output.ts';

export const modelsCommand = (): Command =>
  new Command('models')
    .description('list the published models; serve another version; import factors of another engine')
    .addCommand(
      new Command('list')
        .description('every version that is kept, newest first; * marks the one that is served')
        .action(async (_options, command: Command) => {
          const output = outputOf(command);
          const models = await listModels(readConfig(process.env).modelsDir);
          for (const { manifest, current } of models)
            output.result(
              { ...summary(manifest), current },
              `${current ? '*' : ' '} ${manifest.name.padEnd(13)} ${manifest.version}  ${manifest.gate.reason}`,
            );
          if (models.length === 0) output.say('No model has been published yet: run `nextbest train`.');
        }),
      { isDefault: true },
    )
    .addCommand(
      new Command('promote')
        .description('serve this version from now on, whatever its gate said')
        .argument('<name>', `one of ${ModelName.options.join(', ')}`)
        .argument('<version>', 'as `nextbest models list` shows it')
        .action(async (name: string, version: string, _options, command: Command) => {
          const output = outputOf(command);
          await serveOther(output, () =>
            promoteModel(
              readConfig(process.env).modelsDir,
              parseName(name),
              parseVersion(version),
              FEATURE_SCHEMA,
            ),
          );
        }),
    )
    .addCommand(
      new Command('rollback')
        .description('serve the version that was served before')
        .argument('<name>', `one of ${ModelName.options.join(', ')}`)
        .action(async (name: string, _options, command: Command) => {
          const output = outputOf(command);
          await serveOther(output, () =>
            rollbackModel(readConfig(process.env).modelsDir, parseName(name), FEATURE_SCHEMA),
          );
        }),
    )
    .addCommand(importCommand());

const importCommand = (): Command =>
  new Command('import')
    .description(
      'make a collaborative model around item factors that another engine has learned (itemId, factors), such as Spark’s ALS',
    )
    .argument('<file...>', 'CSV, NDJSON or Parquet, or a folder of such files')
    .option('--alpha <n>', 'alpha of its implicit training', positiveNumber, 1)
    .option('--regularization <n>', 'its regParam', positiveNumber, 0.1)
    .option(
      '--learned-before <time>',
      'it saw no purchases after that (ISO 8601): judged on those, and served if it passes; else promote it by hand',
    )
    .option('--since <time>', 'fit all the rest of the model to purchases from then on (default: to all)')
    // What it takes is loaded when it is asked for: DuckDB and the kernels, which lists and promotions do without.
    .action(async (files: string[], flags: ImportFlags, command: Command) =>
      (await import('./models-import.ts')).importModel(files, flags, outputOf(command)),
    );

function positiveNumber(text: string): number {
  const number = Number(text);
  if (!(number > 0) || !Number.isFinite(number)) throw new InvalidArgumentError('must be a number above 0.');
  return number;
}

async function serveOther(output: Output, change: () => Promise<ModelManifest>): Promise<void> {
  try {
    const manifest = await change();
    const doubt = manifest.gate.passed ? '' : ' It did not pass its gate.';
    output.result(
      { ...summary(manifest), current: true },
      `Serving ${manifest.name} ${manifest.version}.${doubt}`,
    );
  } catch (err) {
    if (!(err instanceof AppError)) throw err;
    if (err.code === 'NOT_FOUND') throw new UsageError(err.public);
    output.say(`nextbest: ${err.public} (${err.message})`);
    process.exitCode = 1;
  }
}

function summary({ name, version, createdAt, featureSchema, backend, gate, metrics }: ModelManifest) {
  return { name, version, createdAt, featureSchema, backend, gate, metrics };
}

function parseName(text: string): ModelName {
  const parsed = ModelName.safeParse(text);
  if (!parsed.success)
    throw new UsageError(`There is no model "${text}"; models are ${ModelName.options.join(', ')}.`);
  return parsed.data;
}

function parseVersion(text: string): ModelVersion {
  const parsed = ModelVersion.safeParse(text);
  if (!parsed.success)
    throw new UsageError(
      `"${text}" is not a version such as 20261123T101500Z-1a2b3c4d: \`nextbest models list\` shows them.`,
    );
  return parsed.data;
}
