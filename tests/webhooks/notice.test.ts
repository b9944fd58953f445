import { expect, test } from 'vitest';
import type { ShopEvent } from '../../src/domain/event.ts';
import type { CustomerId } from '../../src/domain/ids.ts';
import { Notice, type NoticeCause } from '../../src/domain/webhook.ts';
import { causeOf } from '../../src/webhooks/event-cause.ts';
import { noticeId, noticeOf, strangerToRecords } from '../../src/webhooks/notice.ts';

const anna = 'anna' as CustomerId;
const at = Date.UTC(2026, 0, 5);
const base = { eventId: 'e1', customerId: anna, occurredAt: at, channel: 'store' };
const event = (own: object) => ({ ...base, ...own }) as ShopEvent;
const rated = (rating: number) => causeOf(event({ type: 'rating', rating, itemId: 'tea' }), 3);

test('a rating below the bound and a complaint that is opened are causes; nothing else is', () => {
  expect(rated(2)).toEqual({
    kind: 'lowRating',
    eventId: 'e1',
    at,
    channel: 'store',
    rating: 2,
    itemId: 'tea',
  });
  expect(rated(3)).toBeUndefined();
  const contact = (complaint?: string) => causeOf(event({ type: 'contact', complaint, topic: 'late' }), 3);
  expect(contact('opened')).toEqual({
    kind: 'complaint',
    eventId: 'e1',
    at,
    channel: 'store',
    topic: 'late',
  });
  expect(contact('resolved')).toBeUndefined();
  expect(contact()).toBeUndefined();
  expect(causeOf(event({ type: 'visit' }), 3)).toBeUndefined();
});

test('a guest is no customer of the CRM', () => {
  const { customerId: _customerId, ...guest } = base;
  const given = { ...guest, type: 'rating', rating: 1, sessionId: 's1' } as ShopEvent;
  expect(causeOf(given, 3)).toBeUndefined();
});

test('a notice says what happened, what is known, and what to do; consent names the channels that have it', () => {
  const notice = noticeOf(anna, rated(2)!, {
    attributes: { consent: { email: true, phone: false, app: true } },
    features: { openComplaints: 1 },
    churn: { risk: 0.4, horizonDays: 60 },
    value: { valueMinor: 1250, horizonDays: 365 },
    reasons: [{ feature: 'overdueRatio', text: 'late' }],
  });
  expect(Notice.parse(notice)).toEqual({
    id: noticeId(anna, rated(2)!),
    type: 'customer.lowRating',
    timestamp: '2026-01-05T00:00:00.000Z',
    data: {
      customerId: 'anna',
      cause: { eventId: 'e1', channel: 'store', rating: 2, itemId: 'tea' },
      churn: { risk: 0.4, horizonDays: 60 },
      value: { valueMinor: 1250, horizonDays: 365 },
      reasons: [
        { feature: 'rating', text: 'rated 2 of 5' },
        { feature: 'overdueRatio', text: 'late' },
      ],
      suggestedAction: expect.objectContaining({ action: 'call' }),
      consent: ['email', 'app'],
    },
  });
});

test('a customer without a record is told of too', () => {
  const complaint: NoticeCause = { kind: 'complaint', eventId: 'e1', at, channel: 'phone' };
  const { data } = Notice.parse(noticeOf(anna, complaint, strangerToRecords));
  expect(data).toMatchObject({ churn: null, reasons: [{ text: 'complained' }], consent: [] });
});

test('an id names the cause alone: the same event of the same customer has it, whatever else is known', () => {
  const crossing = (belowSince: number, bound = 0.7, horizonDays = 60): NoticeCause => ({
    kind: 'churnRisk',
    belowSince,
    at,
    risk: 0.8,
    bound,
    horizonDays,
    reasons: [],
  });
  expect(noticeId(anna, { ...rated(2)!, at: 0 })).toBe(noticeId(anna, rated(1)!));
  expect(noticeId(anna, { ...crossing(1), at: 0 })).toBe(noticeId(anna, crossing(1)));
  const bert = 'bert' as CustomerId;
  const ids = [
    noticeId(anna, rated(1)!),
    noticeId(bert, rated(1)!),
    noticeId(anna, { kind: 'complaint', eventId: 'e1', at, channel: 'web' }),
    noticeId(anna, crossing(1)),
    noticeId(anna, crossing(2)),
    noticeId(anna, crossing(1, 0.6)),
    noticeId(anna, crossing(1, 0.7, 30)),
    noticeId(bert, crossing(1)),
  ];
  expect(new Set(ids).size).toBe(ids.length);
  // BullMQ takes no colon in a job's id.
  for (const id of ids) expect(id).toMatch(/^[A-Za-z]+_[0-9a-f]{32}$/);
});
