import { expect, test } from 'vitest';
import { csvCell, plainCell } from '../../src/infra/csv.ts';

test('a number stays a number, also below nothing; what a spreadsheet would run does not', () => {
  for (const plain of ['-4.53', '+49', '-3', '12.5', 'tea']) expect(csvCell(plain)).toBe(plain);
  for (const formula of ['=1+1', '-1+1', '@sum', '-4.53+cmd', '+a', '-.5.1', '-'])
    expect(csvCell(formula)).toBe(`'${formula}`);
});

test('what was quoted or guarded is read as it was', () => {
  for (const plain of ['a,b', 'a "b"', '=1', '-4.53', "'=1", "''=1", "'-4.53", "'s", 'two\r\nlines', ''])
    expect(plainCell(csvCell(plain))).toBe(plain);
});
