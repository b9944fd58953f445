import { expect, test } from 'vitest';
import { createRecentAnswers } from '../../src/serve/recent-answers.ts';

const size = 1000;
/** With what an entry takes beside its answer. */
const room = (entries: number) => entries * (size + 600);

test('what is asked for again is kept, what is not is forgotten, and never more is held than there is room for', () => {
  const recent = createRecentAnswers<number>(room(100));
  for (let n = 0; n < 5000; n++) {
    recent.put(`q${n}`, n, size);
    expect(recent.get('q0')).toBe(0);
  }
  const held = Array.from({ length: 5000 }, (_, n) => n).filter((n) => recent.get(`q${n}`) !== undefined);
  expect(held).toContain(4999);
  expect(held).not.toContain(1);
  expect(held.length).toBeGreaterThan(90);
  expect(held.length).toBeLessThanOrEqual(110);
});

test('as many as there is room for are all kept, asked for one after the other', () => {
  const recent = createRecentAnswers<number>(room(100));
  for (let n = 0; n < 100; n++) recent.put(`q${n}`, n, size);
  for (let round = 0; round < 3; round++) for (let n = 0; n < 100; n++) expect(recent.get(`q${n}`)).toBe(n);
});

test('a second answer takes the place of the first, and its room', () => {
  const recent = createRecentAnswers<number>(room(10));
  recent.put('other', -1, size);
  for (let n = 0; n < 1000; n++) recent.put('same', n, size);
  expect(recent.get('same')).toBe(999);
  expect(recent.get('other')).toBe(-1);
});

test('a deleted one is gone, and gives its room back', () => {
  const recent = createRecentAnswers<number>(room(10));
  recent.put('other', -1, size);
  for (let n = 0; n < 1000; n++) {
    recent.put(`q${n}`, n, size);
    recent.delete(`q${n}`);
    expect(recent.get(`q${n}`)).toBeUndefined();
  }
  expect(recent.get('other')).toBe(-1);
});

test('a question without end is not kept', () => {
  const recent = createRecentAnswers<number>(room(10));
  recent.put('q'.repeat(2000), 1, size);
  expect(recent.get('q'.repeat(2000))).toBeUndefined();
});
