import { describe, expect, test } from 'vitest';
import { parseCsvHeader } from '../../../src/history/import/csv-header.ts';

describe('parseCsvHeader', () => {
  test.each([
    ['a,b,c\n1,2,3\n', ',', ['a', 'b', 'c'], 1],
    ['a;b, c;d\r\n', ';', ['a', 'b, c', 'd'], 1],
    ['a\tb\n', '\t', ['a', 'b'], 1],
    ['a|b', '|', ['a', 'b'], 1],
    ['\uFEFF"Order, no";"said ""now"""\n', ';', ['Order, no', 'said "now"'], 1],
    ['sep=;\r\na,x;b\r\n', ';', ['a,x', 'b'], 2],
    ['\n \r\na,b\n', ',', ['a', 'b'], 3],
    ['"two\nlines",b\n1,2\n', ',', ['two\nlines', 'b'], 2],
    ['only\n', ',', ['only'], 1],
  ])('%j', (text, delimiter, columns, lines) => {
    expect(parseCsvHeader(text)).toEqual({ columns, delimiter, lines });
  });

  test.each(['', '\uFEFF', '\n\r\n  \n'])('nothing but white space is no header: %j', (text) => {
    expect(parseCsvHeader(text)).toBeUndefined();
  });
});
