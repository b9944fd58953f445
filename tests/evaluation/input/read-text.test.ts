import { expect, test } from 'vitest';
import { readLines } from '../../../src/evaluation/input/read-text.ts';
import { temporaryFiles } from '../support.ts';

const write = await temporaryFiles();

test('a line end that two pieces of the file share is one', async () => {
  // A piece is 256 KiB: its last character is the CR whose LF begins the next.
  const long = 'x'.repeat(2 ** 18 - 1);
  const found: [number, string][] = [];
  for await (const { lines, first } of readLines(await write('split', `${long}\r\nsecond\r\n`)))
    for (const [n, line] of lines.entries()) found.push([first + n, line]);
  expect(found).toEqual([
    [1, long],
    [2, 'second'],
  ]);
});
