import { expect, test } from 'vitest';
import { DecisionPolicy } from '../../../src/domain/decision-policy.ts';
import { sqlText } from '../../../src/history/lake.ts';
import {
  controlGroupSplit,
  experimentSplit,
  offerHoldoutSplit,
  type Split,
} from '../../../src/insights/experiments/split.ts';
import { compileExperiments, isHeldOut } from '../../../src/offers/experiments.ts';
import { testLake } from '../../support/lake.ts';
import { makeOffer } from '../../support/offers.ts';

const ids = Array.from({ length: 10_000 }, (_, i) => (i % 3 === 0 ? `c${i}` : `кунде's ☕ 🫖 ${i}`));
const from = Date.UTC(2026, 5, 1);
const span = { from, end: undefined };
const policy = DecisionPolicy.parse({
  controlGroupShare: 0.1,
  experiments: [
    {
      name: 'spring',
      from: '2026-06-01T00:00:00Z',
      share: 0.7,
      variants: [{ name: 'a' }, { name: 'b', weight: 2.5 }, { name: 'c', weight: 0.3 }],
    },
    { name: 'all', from: '2026-06-01T00:00:00Z', variants: [{ name: 'a' }, { name: 'b' }] },
  ],
});

async function groupsBySql({ groupOf, groups }: Split): Promise<(string | undefined)[]> {
  const lake = await testLake();
  await lake.connection.run('CREATE TABLE subjects (place INTEGER, customerId VARCHAR)');
  const rows = ids.map((id, place) => `(${place}, ${sqlText(id)})`);
  await lake.connection.run(`INSERT INTO subjects VALUES ${rows.join(', ')}`);
  const reader = await lake.connection.runAndReadAll(`SELECT ${groupOf} FROM subjects ORDER BY place`);
  return reader.getRows().map(([group]) => (group === null ? undefined : groups[Number(group)]?.name));
}

test.each(['spring', 'all'])('the readout puts everybody where the decision does: %s', async (name) => {
  const experiment = policy.experiments.find((one) => one.name === name);
  if (experiment === undefined) throw new Error(name);
  const compiled = compileExperiments(policy);
  const decided = ids.map((id) => {
    const settings = compiled.settingsFor(id, from);
    const mine = [settings.experiment, ...settings.furtherExperiments];
    return mine.find((one) => one?.name === name)?.variant;
  });
  const split = experimentSplit(experiment, policy);
  expect(await groupsBySql(split)).toEqual(decided);
  expect(new Set(decided)).toEqual(new Set([...split.groups.map((group) => group.name), undefined]));
});

test('and so with the control group and with the holdout of an offer', async () => {
  const compiled = compileExperiments(policy);
  const isControl = ids.map((id) => compiled.controlGroup(id).member);
  expect(await groupsBySql(controlGroupSplit(policy, span))).toEqual(
    isControl.map((member) => (member ? 'without' : 'with')),
  );
  const offer = makeOffer({ offerId: "tea's", holdoutShare: 0.2 });
  const heldOut = ids.map((id) => (isHeldOut(offer, id) ? 'without' : 'with'));
  expect(await groupsBySql(offerHoldoutSplit(offer, DecisionPolicy.parse({}), span))).toEqual(heldOut);
  expect(await groupsBySql(offerHoldoutSplit(offer, policy, span))).toEqual(
    heldOut.map((group, i) => (isControl[i] ? undefined : group)),
  );
});
