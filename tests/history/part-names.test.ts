import { expect, test } from 'vitest';
import {
  partsToRead,
  partsWithinOthers,
  streamPartName,
  streamPartsOf,
} from '../../src/history/part-names.ts';

const file = (first: string, last: string) => `${streamPartName(first, last)}.parquet`;

test('a name tells its range, and other files are no parts of the stream', () => {
  const part = file('5-0', '10-3');
  expect(streamPartsOf([part, 'import-0123.parquet', `${part}.7-1.tmp`])).toEqual([
    { file: part, first: '5-0', last: '10-3' },
  ]);
});

test('a part within another is hidden; parts that overlap in part, or touch, are not', () => {
  const [whole, within, equalStart] = [file('5-0', '10-0'), file('6-0', '7-0'), file('5-0', '9-0')];
  const after = file('10-1', '12-0');
  expect(
    partsWithinOthers(streamPartsOf([within, after, equalStart, whole])).map((part) => part.file),
  ).toEqual([equalStart, within]);
  expect(partsToRead([within, after, equalStart, whole, 'import-1.parquet'])).toEqual([
    'import-1.parquet',
    after,
    whole,
  ]);
});

test('parts that reach an id are left out by number, not by text; imports are always read', () => {
  const parts = [file('1-0', '9-0'), file('9-1', '10-0'), 'import-1.parquet'];
  expect(partsToRead(parts, { streamBefore: '10-0' })).toEqual(['import-1.parquet', file('1-0', '9-0')]);
  expect(partsToRead(parts, { streamBefore: '10-1' })).toHaveLength(3);
});
