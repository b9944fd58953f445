/** A command of nextbest's in processes of its own, with a private Redis, and what all of them used. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../../domain/errors.ts';
import { bound } from './broken-off.ts';
import { MARK, type Usage, watchUsage } from './process-usage.ts';

const binary = fileURLToPath(new URL('../../../bin/nextbest', import.meta.url));

export type CommandUsage = Usage & { wallSeconds: number };

/** Throws where the command fails; a UsageError where there is no /proc to measure by. */
export async function runCommand(
  command: readonly string[],
  env: Record<string, string>,
): Promise<CommandUsage> {
  if (!existsSync('/proc/self/status')) throw new UsageError('this measurement reads /proc: it needs Linux.');
  const mark = randomUUID();
  const watch = watchUsage(mark);
  const startedAt = performance.now();
  const child = bound(
    spawn(process.execPath, ['--no-warnings', binary, ...command, '--json'], {
      env: {
        ...process.env,
        REDIS_URL: '',
        QUEUE_REDIS_URL: '',
        WORKER_METRICS_PORT: '0',
        LOG_LEVEL: 'warn',
        ...env,
        [MARK]: mark,
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    }),
  );
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  const wallSeconds = (performance.now() - startedAt) / 1000;
  const usage = await watch.stop();
  if (exitCode !== 0) throw new Error(`nextbest ${command.join(' ')} ended with ${exitCode}`);
  return { wallSeconds, ...usage };
}
