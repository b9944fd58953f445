import { expect, test } from 'vitest';
import { CHANNELS } from '../../src/domain/channel.ts';
import { DecisionPolicy } from '../../src/domain/decision-policy.ts';
import { dayMs, hourMs } from '../../src/domain/time.ts';
import { brokenLimit, compileContactLimits } from '../../src/offers/contact-limits.ts';
import { makeContact, noon } from '../support/offers.ts';

const limitsOf = (contact: object) => compileContactLimits(DecisionPolicy.parse({ contact }).contact);

test('on channels where customers come by themselves, only a cap that names them holds', () => {
  const limitsOn = limitsOf({
    caps: [
      { times: 5, days: 30 },
      { channels: ['email', 'web'], times: 9, days: 30 },
    ],
    minGapHours: 6,
  });
  const bearing = CHANNELS.map((channel) => {
    const { caps, gap } = limitsOn(channel);
    return [channel, caps.map(({ times }) => times), gap?.ms];
  });
  expect(bearing).toEqual([
    ['web', [9], undefined],
    ['store', [], undefined],
    ['app', [], undefined],
    ['email', [5, 9], 6 * hourMs],
    ['phone', [5], 6 * hourMs],
  ]);
});

test('a cap without channels counts e-mail and phone together, and no page', () => {
  const limits = limitsOf({ caps: [{ times: 2, days: 7 }], minGapHours: 0 })('phone');
  const broken = (...channels: ('web' | 'email' | 'phone')[]) =>
    brokenLimit(
      limits,
      channels.map((channel, i) => makeContact({ channel, occasionId: `o${i}` })),
      noon,
      undefined,
    );
  expect(broken('email', 'web', 'web')).toBeUndefined();
  expect(broken('email', 'phone')).toBe('contact-cap');
});

test('a cap opens again when the window has left a contact behind', () => {
  const limits = limitsOf({ caps: [{ channels: ['email'], times: 1, days: 7 }], minGapHours: 0 })('email');
  const broken = (at: number) => brokenLimit(limits, [makeContact({ at })], noon, undefined);
  expect(broken(noon - 7 * dayMs + 1)).toBe('contact-cap');
  expect(broken(noon - 7 * dayMs)).toBeUndefined();
});

test('the gap is over to the millisecond, counts both channels, and comes before the cap', () => {
  const limits = limitsOf({ caps: [{ times: 1, days: 7 }], minGapHours: 6 })('email');
  const broken = (at: number, channel: 'email' | 'phone' | 'web' = 'phone') =>
    brokenLimit(limits, [makeContact({ at, channel })], noon, undefined);
  expect(broken(noon - 6 * hourMs + 1)).toBe('minimum-gap');
  expect(broken(noon - 6 * hourMs)).toBe('contact-cap');
  expect(broken(noon - 1, 'web')).toBeUndefined();
  expect(limitsOf({ minGapHours: 0 })('email').gap).toBeUndefined();
});

test('what belongs to the same message is the same contact', () => {
  const limits = limitsOf({ caps: [{ times: 1, days: 7 }] })('email');
  expect(brokenLimit(limits, [makeContact({ occasionId: 'june' })], noon, 'june')).toBeUndefined();
  expect(brokenLimit(limits, [makeContact({ occasionId: 'june' })], noon, 'july')).toBe('minimum-gap');
});
