import { deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { packDecision, unpackDecision } from '../../src/decide/packed-decision.ts';
import { decisionJson } from '../support/decision-json.ts';

test('what was packed is read as it was, whatever it says', () => {
  for (const json of [
    '{}',
    '{"name":"Süßes ☕ \\u0000"}',
    decisionJson,
    `{"long":"${'0123456789'.repeat(9999)}"}`,
    '{"customerId":"k 7 ☕","heldSince":"01a21897-11c1-7890-96fb-2efd46b28ed6","content":{"7":"a","customerId":"","__proto__":"b"}}',
    '{"decidedAt":"2026-11-26T08:46:32.063Z","standsUntil":"2026-11-26","sessionId":"1969-12-31T23:59:59.999Z"}',
    '{"numbers":[0,1,-1,0.1,127,128,4294967296,281474976710656,1e+300,5e-324,null,true],"decisionId":7,"customerId":null}',
  ])
    expect(JSON.stringify(unpackDecision(packDecision(JSON.parse(json))))).toBe(json);
});

test('a decision takes a third of its bytes, however little repeats within it', () => {
  expect(packDecision(JSON.parse(decisionJson)).length).toBeLessThan(Buffer.byteLength(decisionJson) / 3);
});

test('of two decisions that differ in numbers and ids alone, each is read as it was', () => {
  const one = JSON.parse(decisionJson);
  const placements = one.placements.map((place: object) => ({ ...place, loggingPropensity: 1 / 3 }));
  const other = { ...one, placements, customerId: 'another' };
  const [first, second] = [packDecision(one), packDecision(other)];
  expect(unpackDecision(first)).toEqual(one);
  expect(unpackDecision(second)).toEqual(other);
});

test('a name and a text, a list and an object, and what is absent are told apart, whichever came first', () => {
  const alike = [
    { a: 'b' },
    { a: { b: 1 } },
    { a: ['b'] },
    { a: [] },
    { a: {} },
    { a: null },
    { a: true },
    { a: 'c', b: 'd' },
    { a: 'c' },
    {},
  ];
  for (const value of [...alike, ...alike.toReversed()])
    expect(unpackDecision(packDecision(value))).toEqual(value);
  expect(unpackDecision(packDecision({ a: undefined, b: [undefined, Number.NaN] }))).toEqual({
    b: [null, null],
  });
});

test('however many patterns there have been, the next is packed as the first was', () => {
  const shown = (n: number) => ({
    content: Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`k${at}`, `${n}-${at}`])),
  });
  const first = packDecision(shown(0));
  // Each takes some 40 steps that no other has.
  for (let n = 1; n < 2000; n++) packDecision(shown(n));
  expect(packDecision(shown(0))).toEqual(first);
  expect(unpackDecision(first)).toEqual(shown(0));
  expect(unpackDecision(packDecision(shown(1999)))).toEqual(shown(1999));
}, 20_000);

test('a pattern that is longer than its length can say is packed as a whole', () => {
  let noise = '';
  for (let at = 0, seed = 1; at < 120_000; at++) {
    seed = (seed * 48_271) % 2_147_483_647;
    noise += String.fromCharCode(0x4e00 + (seed % 20_000));
  }
  expect(unpackDecision(packDecision({ noise }))).toEqual({ noise });
});

test('JSON that was not packed is read too; what is damaged, or packed in another way, is not', () => {
  expect(unpackDecision(Buffer.from(decisionJson))).toEqual(JSON.parse(decisionJson));
  const packed = packDecision(JSON.parse(decisionJson));
  expect(unpackDecision(packed.subarray(0, packed.length - 9))).toBeUndefined();
  expect(unpackDecision(Buffer.concat([Buffer.of(7), deflateRawSync(decisionJson)]))).toBeUndefined();
  expect(unpackDecision(Buffer.alloc(0))).toBeUndefined();
  expect(unpackDecision(Buffer.from('{"cut'))).toBeUndefined();
});

test('a byte that was altered in Redis throws nothing', () => {
  const packed = packDecision(JSON.parse(decisionJson));
  for (let at = 0; at < packed.length; at++) {
    const altered = Buffer.from(packed);
    altered[at] = (altered[at] ?? 0) ^ 0x10;
    expect(() => unpackDecision(altered)).not.toThrow();
  }
});

test('what was packed by a build before is read by this one: the dictionary is part of the format', () => {
  expect(unpackDecision(Buffer.from('AavGUooSMCwPHC+1AA==', 'base64'))).toEqual({
    channel: 'phone',
    degraded: false,
    standsUntil: 'never',
  });
});
