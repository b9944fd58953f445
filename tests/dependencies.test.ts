import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const readJson = (path: string) => JSON.parse(readFileSync(resolve(root, path), 'utf8'));
const page = readFileSync(resolve(root, 'docs/dependencies.md'), 'utf8');
const rows = [...page.matchAll(/^\| `([^`]+)` \|(.+)\|$/gm)].map(([, name = '', rest = '']) => {
  const [why = '', licence = '', size = '', script = '', instead = ''] = rest
    .split('|')
    .map((cell) => cell.trim());
  return { name, why, licence, size, script, instead };
});

test('the page names every runtime dependency, and no other', () => {
  const { dependencies, optionalDependencies } = readJson('package.json');
  expect(rows.map(({ name }) => name).sort()).toEqual(
    [...Object.keys(dependencies), ...Object.keys(optionalDependencies)].sort(),
  );
  for (const row of rows) for (const cell of Object.values(row)) expect(cell, row.name).not.toBe('');
});

test.each(rows.filter(({ name }) => existsSync(resolve(root, 'node_modules', name))))(
  '$name: its licence, and whether it runs anything when it is installed',
  ({ name, licence, script }) => {
    const installed = readJson(`node_modules/${name}/package.json`);
    expect(installed.license).toBe(licence);
    const hasScript = ['preinstall', 'install', 'postinstall'].some((stage) => installed.scripts?.[stage]);
    expect(script.startsWith('none')).toBe(!hasScript);
  },
);

test('install scripts run only where package.json says so', () => {
  const { allowScripts } = readJson('package.json');
  const { packages } = readJson('package-lock.json') as {
    packages: Record<string, { hasInstallScript?: boolean }>;
  };
  const withScripts = Object.entries(packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript)
    .map(([path]) => path.replace(/^.*node_modules\//, ''));
  expect(withScripts.filter((name) => allowScripts[name] === undefined)).toEqual([]);
});
