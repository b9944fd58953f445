import { expect, test } from 'vitest';
import {
  contactsMax,
  contactWindowMs,
  createContactLedger,
} from '../../../src/decide/ledger/contact-ledger.ts';
import { dayMs, hourMs } from '../../../src/domain/time.ts';
import type { Contact } from '../../../src/offers/contact-history.ts';
import { testRedis } from '../../support/redis.ts';

const { redis, keys } = testRedis();
const ledger = createContactLedger(redis, keys);
const now = Date.parse('2026-06-15T12:00:00Z');

const contact = (more: Partial<Contact> = {}): Contact => ({
  occasionId: 'email spring',
  decisionId: 'd1',
  offerId: 'ten',
  channel: 'email',
  at: now,
  discount: true,
  redeemableUntil: now + 14 * dayMs,
  state: 'confirmed',
  stateAt: now,
  expiresAt: now + dayMs,
  ...more,
});

test('a history comes back as it was written', async () => {
  const before = await ledger.read('anna');
  expect(before.history).toEqual([]);
  const history = [contact(), contact({ channel: 'web', state: 'reserved', discount: false })];
  expect(await ledger.write('anna', before.version, history, now)).toBe(true);
  expect((await ledger.read('anna')).history).toEqual(history);
  expect(await redis.pttl(keys.contacts('anna'))).toBeGreaterThan(contactWindowMs - hourMs);
});

test('of two that decide on the same history, one is told to decide again', async () => {
  const [one, other] = await Promise.all([ledger.read('bert'), ledger.read('bert')]);
  const written = await Promise.all([
    ledger.write('bert', one.version, [contact({ decisionId: 'd1' })], now),
    ledger.write('bert', other.version, [contact({ decisionId: 'd2' })], now),
  ]);
  expect(written.filter(Boolean)).toHaveLength(1);
  expect((await ledger.read('bert')).history).toHaveLength(1);
});

test('changes by many at once are all made', async () => {
  await Promise.all(
    Array.from({ length: 30 }, (_, n) =>
      ledger.update('carl', (history) => [...history, contact({ decisionId: `d${n}` })], now),
    ),
  );
  const { history } = await ledger.read('carl');
  expect(new Set(history.map(({ decisionId }) => decisionId)).size).toBe(30);
});

test('what lapsed unused, and what no window reaches any more, is dropped; what may be redeemed stays', async () => {
  const lapsed = contact({ offerId: 'lapsed', state: 'reserved', expiresAt: now });
  const long = now - contactWindowMs;
  const old = contact({ offerId: 'old', at: long, stateAt: long, redeemableUntil: now });
  const open = contact({ offerId: 'open', at: long, stateAt: long });
  await ledger.write('dora', '', [lapsed, old, open], now);
  expect((await ledger.read('dora')).history.map(({ offerId }) => offerId)).toEqual(['open']);
  const { version } = await ledger.read('dora');
  await ledger.write('dora', version, [lapsed], now);
  expect(await redis.exists(keys.contacts('dora'))).toBe(0);
});

test('a history is bounded: the newest stay', async () => {
  const many = Array.from({ length: contactsMax + 5 }, (_, n) => contact({ decisionId: `d${n}` }));
  await ledger.write('erik', '', many, now);
  const { history } = await ledger.read('erik');
  expect(history).toHaveLength(contactsMax);
  expect(history[0]?.decisionId).toBe('d5');
});

test('what another version wrote counts as no history, and can be written over', async () => {
  for (const text of ['{}', '[[1,2]]', 'not JSON']) {
    await redis.set(keys.contacts('fred'), text);
    const { history, version } = await ledger.read('fred');
    expect(history).toEqual([]);
    expect(await ledger.write('fred', version, [contact()], now)).toBe(true);
  }
});

test('a change that changes nothing writes nothing', async () => {
  await ledger.update('gina', (history) => history, now);
  expect(await redis.exists(keys.contacts('gina'))).toBe(0);
});

test('of too many, page views go before what was sent or may be redeemed', async () => {
  const mail = contact({ decisionId: 'mail', redeemableUntil: now - 1 });
  const open = contact({ decisionId: 'open', channel: 'web' });
  const views = Array.from({ length: contactsMax }, (_, n) =>
    contact({ decisionId: `view${n}`, channel: 'web', discount: false, redeemableUntil: now }),
  );
  await ledger.write('hugo', '', [mail, open, ...views], now);
  const { history } = await ledger.read('hugo');
  expect(history).toHaveLength(contactsMax);
  expect(history.slice(0, 3).map(({ decisionId }) => decisionId)).toEqual(['mail', 'open', 'view2']);
});
