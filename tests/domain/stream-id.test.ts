import { expect, test } from 'vitest';
import { compareStreamIds, nextStreamId, streamIdParts } from '../../src/domain/stream-id.ts';

test('ids compare as numbers, not as texts: by milliseconds, then by sequence', () => {
  expect(compareStreamIds('9-0', '10-0')).toBeLessThan(0);
  expect(compareStreamIds('10-9', '10-10')).toBeLessThan(0);
  expect(compareStreamIds('10-10', '10-10')).toBe(0);
});

test('the next id differs by one in the sequence', () => {
  expect(nextStreamId('1700000000000-7')).toBe('1700000000000-8');
});

test('what is no stream id is refused', () => {
  expect(() => streamIdParts('1700000000000')).toThrow('not a stream id');
});
