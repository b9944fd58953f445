/** Runs the built `nextbest` as a user does: real processes, in a data folder of the test's own. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll } from 'vitest';

/** Every schedule of a worker; an empty one is the default. */
export function schedules(cron: string): Record<string, string> {
  const names = ['TRAIN', 'UPDATE', 'REFRESH', 'SCORE', 'DRIFT'];
  return Object.fromEntries(names.map((name) => [`${name}_SCHEDULE`, cron]));
}

const binary = resolve(import.meta.dirname, '../../bin/nextbest');

export type Finished = { exitCode: number; stdout: string; stderr: string };
export type Running = {
  process: ChildProcess;
  /** Resolves with the first JSON line on stdout that has the field. */
  line: (field: string) => Promise<Record<string, unknown>>;
  /** Exit code, once it has ended. */
  ended: Promise<number | null>;
  /** SIGTERM, and the exit code. */
  stop: () => Promise<number | null>;
  stderr: () => string;
};

export type Sandbox = {
  dataDir: string;
  modelsDir: string;
  run: (args: readonly string[], env?: Record<string, string>) => Promise<Finished>;
  start: (args: readonly string[], env?: Record<string, string>) => Running;
};

/**
 * A folder for data and models; deleted, and everything started in it ended, after the file's last test. Decisions explore
 * nothing, unless DECISION_POLICY_FILE says otherwise.
 */
export async function sandbox(): Promise<Sandbox> {
  const folder = await mkdtemp(join(tmpdir(), 'nextbest-e2e-'));
  // What exploring draws differs from request to request, and may be nothing.
  const policyFile = join(folder, 'policy.json');
  await writeFile(policyFile, JSON.stringify({ exploration: { method: 'none' } }));
  const dataDir = join(folder, 'data');
  const modelsDir = join(folder, 'models');
  const running: Running[] = [];
  const environment = (env: Record<string, string>) => ({
    ...process.env,
    REDIS_URL: '',
    DATA_DIR: dataDir,
    MODELS_DIR: modelsDir,
    PORT: '0',
    DECISION_POLICY_FILE: policyFile,
    // Who may call is a matter of its own tests.
    AUTH: 'off',
    // Slow machines: a test of a bound sets its own.
    MAX_LAG_MS: '60000',
    REDIS_TIMEOUT_MS: '20000',
    WORKER_METRICS_PORT: '0',
    LOG_LEVEL: 'warn',
    MAX_WAIT_MS: '600000',
    // No night and no half hour comes during a test: what they begin would change the model that it looks at.
    ...schedules('0 0 29 2 *'),
    ...env,
  });
  afterAll(async () => {
    await Promise.all(running.map((one) => one.stop()));
    // A private Redis ends a moment after those that used it, and writes until then.
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  });
  return {
    dataDir,
    modelsDir,
    run: (args, env = {}) =>
      new Promise((done) => {
        const options = { env: environment(env), maxBuffer: 64 * 1024 * 1024 };
        const child = execFile(
          process.execPath,
          ['--no-warnings', binary, ...args],
          options,
          (_err, stdout, stderr) => done({ exitCode: child.exitCode ?? -1, stdout, stderr }),
        );
      }),
    start: (args, env = {}) => {
      const started = startProcess(args, environment(env));
      running.push(started);
      return started;
    },
  };
}

function startProcess(args: readonly string[], env: NodeJS.ProcessEnv): Running {
  const child = spawn(process.execPath, ['--no-warnings', binary, ...args, '--json'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const lines: Record<string, unknown>[] = [];
  let wake: () => void = () => {};
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(JSON.parse(line));
    wake();
  });
  const ended = once(child, 'exit').then(([exitCode]) => {
    wake();
    return exitCode as number | null;
  });
  return {
    process: child,
    ended,
    stderr: () => stderr,
    line: async (field) => {
      for (;;) {
        const found = lines.find((line) => field in line);
        if (found) return found;
        if (child.exitCode !== null) throw new Error(`ended before it printed "${field}":\n${stderr}`);
        await new Promise<void>((resume) => {
          wake = resume;
        });
      }
    },
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      return ended;
    },
  };
}
