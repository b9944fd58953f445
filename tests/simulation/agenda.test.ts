import { expect, test } from 'vitest';
import { createAgenda } from '../../src/simulation/agenda.ts';

test('entries come out soonest first, those of one instant in the order of planning', () => {
  const agenda = createAgenda<string>();
  agenda.plan(30, 'c');
  agenda.plan(10, 'a1');
  agenda.plan(20, 'b');
  agenda.plan(10, 'a2');
  agenda.plan(Number.POSITIVE_INFINITY, 'never');
  agenda.plan(5, 'first');
  const out: string[] = [];
  for (let next = agenda.next(); next !== undefined; next = agenda.next()) out.push(next.what);
  expect(out).toEqual(['first', 'a1', 'a2', 'b', 'c', 'never']);
});

test('waiting shows the latest first; clear empties it', () => {
  const agenda = createAgenda<string>();
  agenda.plan(1, 'soon');
  agenda.plan(2, 'late');
  expect(agenda.waiting.map(({ what }) => what)).toEqual(['late', 'soon']);
  agenda.clear();
  expect(agenda.next()).toBeUndefined();
});
