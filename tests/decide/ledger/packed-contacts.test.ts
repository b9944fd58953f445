import { expect, test } from 'vitest';
import { newDecisionId } from '../../../src/decide/decision-id.ts';
import { packContacts, unpackContacts } from '../../../src/decide/ledger/packed-contacts.ts';
import { dayMs } from '../../../src/domain/time.ts';
import type { Contact } from '../../../src/offers/contact-history.ts';

const at = Date.UTC(2026, 10, 26, 8, 3, 1, 17);

function sent(change: Partial<Contact> = {}): Contact {
  return {
    occasionId: `dGhlIG5hbW.${at.toString(36)}`,
    decisionId: newDecisionId(at),
    offerId: 'o17',
    channel: 'email',
    at,
    discount: true,
    redeemableUntil: at + 14 * dayMs,
    state: 'reserved',
    stateAt: at,
    expiresAt: at + 366 * dayMs,
    ...change,
  };
}

test('contacts are the same again, whatever their ids and times are', () => {
  const decisionId = newDecisionId(at);
  const history: Contact[] = [
    sent(),
    sent({ decisionId, occasionId: decisionId, channel: 'web', discount: false, redeemableUntil: at }),
    sent({
      decisionId: "O'Hara ☕",
      occasionId: '',
      offerId: 'spring-10',
      state: 'redeemed',
      stateAt: at + 1,
    }),
    sent({ occasionId: 'call 7.', channel: 'phone', state: 'dismissed', stateAt: at - 12_345 }),
    sent({ decisionId: newDecisionId(at - 3), state: 'confirmed', channel: 'store', expiresAt: at - dayMs }),
    sent({ at: 0, occasionId: 'x.0', channel: 'app', stateAt: 5 }),
    sent({ occasionId: `${'_-9zA'.repeat(2)}.${at.toString(36)}`, channel: 'phone' }),
    sent({ occasionId: `nine char.${at.toString(36)}` }),
  ];
  expect(unpackContacts(packContacts(history))).toEqual(history);
  expect(unpackContacts(packContacts([]))).toEqual([]);
});

test('a contact of a message is short enough for Redis to keep it in one piece', () => {
  expect(
    packContacts([sent({ decisionId: newDecisionId(at - 3), offerId: 'april-10' })]).length,
  ).toBeLessThanOrEqual(44);
});

test('what was written before is read', () => {
  // Of one contact as `sent` makes it, by the build before.
  const bytes = Buffer.from(
    '0101016f0002010101a1b3f728b17a4c8f3d5a0c33e1b2d447010a6447686c4947356862571cf0dcee8b2558049811',
    'hex',
  );
  const decisionId = '01a1b3f7-28b1-7a4c-8f3d-5a0c33e1b2d4';
  expect(unpackContacts(bytes)).toEqual([sent({ decisionId })]);
  // A kind of occasion that it did not have.
  bytes[25] = 3;
  expect(unpackContacts(bytes)).toBeUndefined();
});

test('one contact takes a quarter of its JSON', () => {
  expect(packContacts([sent()]).length).toBeLessThan(JSON.stringify([sent()]).length / 4);
});

test('what was cut off, or written in another way, is no history', () => {
  const bytes = packContacts([sent(), sent({ offerId: 'free-delivery' })]);
  for (let length = 0; length < bytes.length; length++)
    expect(unpackContacts(bytes.subarray(0, length))).toBeUndefined();
  expect(unpackContacts(Buffer.concat([bytes, Buffer.of(0)]))).toBeUndefined();
  for (const text of ['[]', '{}', 'not JSON']) expect(unpackContacts(Buffer.from(text))).toBeUndefined();
});
