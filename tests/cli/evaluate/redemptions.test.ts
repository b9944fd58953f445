import { expect, test } from 'vitest';
import { sandbox } from '../../support/nextbest.ts';

const { run } = await sandbox();

test('a folder that is not there is wrong usage, with the cure', async () => {
  const { exitCode, stderr } = await run(['evaluate', 'redemptions', '/nowhere', '--json']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('name the one with the files of The Complete Journey');
});
