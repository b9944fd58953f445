import { deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { packJson, unpackJson } from '../../src/decide/packed-decision.ts';
import { decisionJson } from '../support/decision-json.ts';

test('what was packed is read as it was, whatever it says', () => {
  for (const json of [
    '{}',
    '{"name":"Süßes ☕ \\u0000"}',
    decisionJson,
    `{"long":"${'0123456789'.repeat(9999)}"}`,
  ])
    expect(unpackJson(packJson(json))).toEqual(JSON.parse(json));
});

test('a decision takes a third of its bytes, however little repeats within it', () => {
  expect(packJson(decisionJson).length).toBeLessThan(Buffer.byteLength(decisionJson) / 3);
});

test('JSON that was not packed is read too; what is damaged, or packed in another way, is not', () => {
  expect(unpackJson(Buffer.from(decisionJson))).toEqual(JSON.parse(decisionJson));
  const packed = packJson(decisionJson);
  expect(unpackJson(packed.subarray(0, packed.length - 9))).toBeUndefined();
  expect(unpackJson(Buffer.concat([Buffer.of(7), deflateRawSync(decisionJson)]))).toBeUndefined();
  expect(unpackJson(Buffer.alloc(0))).toBeUndefined();
  expect(unpackJson(Buffer.from('{"cut'))).toBeUndefined();
});

test('a byte that was altered in Redis throws nothing', () => {
  const packed = packJson(decisionJson);
  for (let at = 0; at < packed.length; at++) {
    const altered = Buffer.from(packed);
    altered[at] = (altered[at] ?? 0) ^ 0x10;
    expect(() => unpackJson(altered)).not.toThrow();
  }
});

test('what was packed by a build before is read by this one: the dictionary is part of the format', () => {
  expect(unpackJson(Buffer.from('AavGUooSMCwPHC+1AA==', 'base64'))).toEqual({
    channel: 'phone',
    degraded: false,
    standsUntil: 'never',
  });
});
