import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { COMMANDS } from '../../src/cli/commands.ts';
import { sandbox } from '../support/nextbest.ts';

const { run } = await sandbox();

test('a command is registered under its own name', async () => {
  for (const [name, load] of Object.entries(COMMANDS)) expect((await load()).name()).toBe(name);
});

test('help lists every command and is no failure', async () => {
  const { exitCode, stderr, stdout } = await run(['--help']);
  expect(exitCode).toBe(0);
  expect(stderr).toBe('');
  for (const name of Object.keys(COMMANDS)) expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
});

test('--version tells the version of the package', async () => {
  const { exitCode, stdout } = await run(['--version']);
  expect(exitCode).toBe(0);
  expect(stdout.trim()).toBe(packageJson.version);
});

test('an unknown command or flag is wrong usage', async () => {
  expect(await run(['recommend'])).toMatchObject({ exitCode: 2, stdout: '' });
  expect(await run(['simulate', '--shops', '3'])).toMatchObject({ exitCode: 2 });
});

test('a bad environment names every fault, without a stack, and is wrong usage', async () => {
  const { exitCode, stderr } = await run(['serve'], { PORT: 'eighty', CURRENCY: 'euro' });
  expect(exitCode).toBe(2);
  expect(stderr).toContain('  PORT: ');
  expect(stderr).toContain('  CURRENCY: ');
  expect(stderr).not.toMatch(/^\s+at /m);
});

test.skipIf(!existsSync('/proc/self/task'))(
  'has sixteen threads for files, unless the environment says otherwise',
  async () => {
    const hook = `data:text/javascript,import{readdirSync}from'node:fs';process.on('exit',()=>process._rawDebug('threads',readdirSync('/proc/self/task').length))`;
    const threads = async (size: string) => {
      const env = { NODE_OPTIONS: `--import=${hook}`, UV_THREADPOOL_SIZE: size };
      const { stderr } = await run(['--version'], env);
      return Number(/threads (\d+)/.exec(stderr)?.[1]);
    };
    expect((await threads('')) - (await threads('4'))).toBe(12);
  },
);
