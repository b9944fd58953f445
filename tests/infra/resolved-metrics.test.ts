import { Counter, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createHistogram, createLevel, createTally } from '../../src/infra/resolved-metrics.ts';

const name = 'test_seconds';
const help = 'for the test';

test("a histogram says what prom-client's own says of the same observations", async () => {
  const buckets = [0.1, 1, 10];
  const ours = new Registry();
  const histogram = createHistogram(ours, { name, help, labelNames: ['route', 'status'] as const, buckets });
  const theirs = new Registry();
  const labelNames = ['route', 'status'] as const;
  const reference = new Histogram({ name, help, buckets, labelNames, registers: [theirs] });
  // Bounds themselves belong below them.
  for (const [route, value] of [
    ['/a', 0.05],
    ['/a', 0.1],
    ['/a', 3],
    ['/b', 11],
    ['/a', 0],
  ] as const) {
    const labels = { route, status: '200' };
    histogram.with(labels).observe(value);
    reference.observe(labels, value);
  }
  expect(await ours.metrics()).toBe(await theirs.metrics());
  expect(JSON.parse(JSON.stringify(await ours.getMetricsAsJSON()))).toMatchObject(
    JSON.parse(
      JSON.stringify(await theirs.getMetricsAsJSON(), (key, value) =>
        key === 'exemplar' ? undefined : value,
      ),
    ),
  );
});

test('a tally counts by its labels, from one reading to the next', async () => {
  const ours = new Registry();
  const tally = createTally(ours, 'test_total', help, ['scenario', 'degraded']);
  const theirs = new Registry();
  const labelNames = ['scenario', 'degraded'] as const;
  const counter = new Counter({ name: 'test_total', help, labelNames, registers: [theirs] });
  for (let round = 0; round < 2; round++) {
    for (const [scenario, degraded] of [
      ['home', 'false'],
      ['home', 'true'],
      ['home', 'false'],
    ] as const) {
      tally.add(scenario, degraded);
      counter.inc({ scenario, degraded });
    }
    expect(await ours.metrics()).toBe(await theirs.metrics());
  }
});

test('a series that is held counts on after it was told, and one that nobody counted is not told', async () => {
  const registry = new Registry();
  const tally = createTally(registry, 'test_total', help, ['scenario', 'degraded']);
  const held = tally.of('home', 'false');
  tally.of('home', 'true');
  held.count += 2;
  expect(await registry.metrics()).toContain('test_total{scenario="home",degraded="false"} 2\n');
  held.count += 3;
  tally.add('home', 'false');
  const told = await registry.metrics();
  expect(told).toContain('test_total{scenario="home",degraded="false"} 6\n');
  expect(told).not.toContain('degraded="true"');
});

test('a level is told as it is', async () => {
  const registry = new Registry();
  const level = createLevel(registry, 'test_level', help);
  level.value += 3;
  level.value--;
  expect(await registry.metrics()).toContain('test_level 2\n');
});
