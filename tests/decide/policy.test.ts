import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadDecisionPolicy } from '../../src/decide/policy.ts';

function faultsOf(policy: object): string {
  const folder = mkdtempSync(join(tmpdir(), 'nextbest-policy-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'policy.json');
  writeFileSync(path, JSON.stringify(policy));
  try {
    loadDecisionPolicy(path);
  } catch (err) {
    return (err as Error).message;
  }
  return '';
}

test('a field that there is not is refused where it stands, with those that there are', () => {
  const told = faultsOf({
    contacts: {},
    contact: { minGap: 3 },
    economics: { pointValue: 2 },
    experiments: [
      {
        name: 'e',
        from: '2026-06-01T00:00:00Z',
        variants: [
          { name: 'a', models: {} },
          { name: 'b', exploration: { share: 1 } },
        ],
      },
    ],
  });
  expect(told).toMatch(/ {2}the file: has no "contacts"; there are: contact, economics, controlGroupShare/);
  expect(told).toMatch(/ {2}contact: has no "minGap"; there are: costMinor, .*minGapHours/);
  expect(told).toMatch(/ {2}economics: has no "pointValue"; there are: pointValueMinor/);
  expect(told).toMatch(/ {2}experiments\.0\.variants\.0: has no "models"; there are: name, .*churnModel/);
  expect(told).toMatch(/ {2}experiments\.0\.variants\.1\.exploration: has no "share"; there are: method/);
});
