import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { builtEntry } from '../../src/infra/built-entry.ts';

const logger = builtEntry('../../src/infra/logger.js', import.meta.url);

/** The logger writes to the process's own stderr: another process is asked to log. */
function logged(script: string): { text: string; lines: Record<string, unknown>[] } {
  const code = `import { createLogger } from ${JSON.stringify(logger)}; const log = createLogger('info', 'tests'); ${script}`;
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  return {
    text: stderr,
    lines: stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  };
}

test('an error of Redis is logged without the command that it carries, and so without what a customer did', () => {
  const { text, lines } = logged(`
    const err = new Error("ERR unknown command 'x', with args beginning with: 'secret-message' ");
    err.command = { name: 'set', args: ['secret-key', 'secret-record'] };
    log.error({ err: new Error('outer', { cause: err }) }, 'failed');
    log.error({ err: 'no error at all' }, 'failed');
  `);
  expect(text).not.toContain('secret');
  expect(lines[0]).toMatchObject({
    msg: 'failed',
    err: { type: 'Error', message: 'outer', cause: { message: "ERR unknown command 'x'" } },
  });
  expect(lines[1]).toMatchObject({ err: 'no error at all' });
});
