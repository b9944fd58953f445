/** The closed loop of `bench decide`: fair, repeatable, and honest about what must not happen. */
import { expect, test } from 'vitest';
import { nonePolicy, oraclePolicy, randomPolicy } from '../../../../src/cli/bench/decide/baselines.ts';
import { type LoopPolicy, runLoop } from '../../../../src/cli/bench/decide/closed-loop.ts';
import { customerAtStart, openClosedShop } from '../../../../src/cli/bench/decide/closed-shop.ts';
import { noOffer } from '../../../../src/cli/bench/decide/decided-log.ts';
import { checkOffPolicy } from '../../../../src/cli/bench/decide/off-policy-check.ts';
import { expectedBasket, expectedMarginMinor } from '../../../../src/simulation/expected-profit.ts';
import { advance } from '../../../../src/simulation/simulate-customer.ts';

const closed = openClosedShop({ customers: 500, seed: 201, weeks: 3 });
const mean = (values: Iterable<number>) => {
  const all = [...values];
  return all.reduce((sum, x) => sum + x, 0) / all.length;
};

test('the history has decisions with their probabilities, none and some of every action', () => {
  const { rows } = closed.history;
  expect(rows.length).toBeGreaterThan(2000);
  expect(rows.every(({ propensity }) => propensity > 0 && propensity <= 0.6)).toBe(true);
  expect(new Set(rows.map(({ action }) => action)).has(noOffer)).toBe(true);
  expect(new Set(rows.map(({ action }) => action)).size).toBeGreaterThan(10);
  expect(Math.max(...rows.map(({ at }) => at))).toBeLessThan(closed.startAt);
});

test('the same policy on the same shop earns the same', async () => {
  const [first, second] = [await runLoop(closed, randomPolicy(1)), await runLoop(closed, randomPolicy(1))];
  expect(first.contacts).toBeGreaterThan(100);
  expect(second).toEqual(first);
});

test('who is not contacted brings to the cent what he or she brings without any policy', async () => {
  const none = await runLoop(closed, nonePolicy());
  const random = await runLoop(closed, randomPolicy(2));
  const contacted = new Set(
    random.log.filter(({ action }) => action !== noOffer).map(({ customer }) => customer),
  );
  let compared = 0;
  let changed = 0;
  for (const [customer, profit] of random.profitMinor.entries()) {
    if (contacted.has(customer)) changed += profit === none.profitMinor[customer] ? 0 : 1;
    else {
      expect(profit).toBe(none.profitMinor[customer]);
      compared++;
    }
  }
  expect(compared).toBeGreaterThan(50);
  expect(changed).toBeGreaterThan(50);
  expect(none.contacts).toBe(0);
});

test('the oracle, who knows the truth, earns more than nothing does and than chance', async () => {
  const [none, random, oracle] = [
    await runLoop(closed, nonePolicy()),
    await runLoop(closed, randomPolicy(3)),
    await runLoop(closed, oraclePolicy()),
  ];
  expect(mean(oracle.profitMinor)).toBeGreaterThan(mean(none.profitMinor));
  expect(mean(oracle.profitMinor)).toBeGreaterThan(mean(random.profitMinor));
  expect([none, random, oracle].map(({ violations }) => violations)).toEqual([0, 0, 0]);
});

test('a policy that asks nobody is found out: consent, complaints and open discounts are counted', async () => {
  const discount = closed.shop.offers.find(({ offer }) => offer.offerId === 'free-delivery')!;
  const pushy: LoopPolicy = {
    name: 'pushy',
    propose: (asked) => asked.map(() => ({ offer: discount, propensity: 1, score: 1 })),
  };
  const { violations, contacts } = await runLoop(closed, pushy);
  expect(contacts).toBe(3 * closed.indices.length);
  const refusing = closed.indices.filter((_, c) => !customerAtStart(closed, c).journey.traits.consent.email);
  expect(violations).toBeGreaterThanOrEqual(2 * refusing.length);
  expect(violations).toBeLessThan(contacts);
});

test('budgets hold, and go to the highest scores', async () => {
  const scarce = closed.shop.offers.find(({ offer }) => offer.offerId === 'big-basket-10-euro')!;
  const wanting: LoopPolicy = {
    name: 'wanting',
    propose: (asked) =>
      asked.map(({ candidates, customer }) => ({
        offer: candidates.find(({ number }) => number === scarce.number),
        propensity: 1,
        score: -customer,
      })),
  };
  const free = await runLoop({ ...closed, weeks: 1 }, wanting, { budgets: false });
  const { log, violations } = await runLoop({ ...closed, weeks: 1 }, wanting);
  const madeTo = (rows: typeof log) =>
    rows.filter(({ action }) => action !== noOffer).map(({ customer }) => customer);
  expect(violations).toBe(0);
  expect(madeTo(log).length).toBe(Math.ceil(0.1 * closed.indices.length));
  expect(madeTo(log)).toEqual(madeTo(free.log).slice(0, madeTo(log).length));
});

test('what customers are expected to bring in a year is about what they bring', () => {
  let expected = 0;
  let brought = 0;
  for (let customer = 0; customer < closed.indices.length; customer++) {
    const { journey } = customerAtStart(closed, customer);
    expected += expectedMarginMinor(journey, expectedBasket(journey), closed.startAt, 52);
    const before = journey.ledger.marginMinor;
    advance(journey, closed.startAt + 52 * 7 * 86_400_000);
    brought += journey.ledger.marginMinor - before;
  }
  // Within the chance of 300 customers, and what the expectation leaves out.
  expect(expected / brought).toBeGreaterThan(0.8);
  expect(expected / brought).toBeLessThan(1.25);
});

test('estimates from a random log hold what a policy then earns, as often as their intervals claim', async () => {
  const checks = await checkOffPolicy(closed, [1, 2, 3, 4, 5, 6], [nonePolicy]);
  const coveredBy = (estimator: string) =>
    checks.filter((check) => check.estimator === estimator && check.covered).length;
  expect(checks.length).toBe(6 * 4);
  // Six estimates of each: at 95 % fewer than four are all but impossible.
  for (const estimator of ['ips', 'snips', 'doublyRobust'])
    expect(coveredBy(estimator), estimator).toBeGreaterThanOrEqual(4);
});
