import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { UsageError } from '../../src/domain/errors.ts';
import { ensureFolder } from '../../src/infra/files.ts';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'nextbest-files-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

test('a folder is made with all above it, for whom it is meant, and one that is there is left alone', async () => {
  const path = join(await folder(), 'a', 'b');
  await ensureFolder(path, 'DATA_DIR', 0o700);
  expect((await stat(path)).mode & 0o777).toBe(0o700);
  await writeFile(join(path, 'kept'), '');
  await ensureFolder(path, 'DATA_DIR');
  expect(await readdir(path)).toEqual(['kept']);
});

test.each([
  ['in its place', []],
  ['above it', ['lake', 'events']],
])('a file %s is a UsageError that names the folder and the setting', async (_where, below) => {
  const file = join(await folder(), 'data');
  await writeFile(file, '');
  const path = join(file, ...below);
  const failure = await ensureFolder(path, 'DATA_DIR').catch((err: Error) => err);
  expect(failure).toBeInstanceOf(UsageError);
  expect(String(failure)).toContain(`The folder ${path} cannot be used: there is a file in its place.`);
  expect(String(failure)).toContain('Set DATA_DIR to a folder that may be written to.');
});

const nobody = 65534;

/** Permissions do not bind root: where the tests run as root, it steps down for a moment. */
async function withoutPrivilege<T>(use: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return use();
  process.seteuid?.(nobody);
  try {
    return await use();
  } finally {
    process.seteuid?.(0);
  }
}

test.each([
  ['itself', []],
  ['the one above it', ['below']],
])('a folder of which nothing may be written into %s is a UsageError', async (_which, below) => {
  const path = join(await folder(), 'data');
  await mkdir(path, { mode: 0o555 });
  const failure = await withoutPrivilege(() =>
    ensureFolder(join(path, ...below), 'DATA_DIR').catch((err: Error) => err),
  );
  expect(failure).toBeInstanceOf(UsageError);
  expect(String(failure)).toContain('this user may not write there');
});
