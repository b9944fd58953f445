import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ShopEvent } from '../../src/domain/event.ts';
import type { OfferAnswer } from '../../src/domain/offer.ts';
import { dayMs } from '../../src/domain/time.ts';
import { offerAnswersMax, updateOfferAnswers } from '../../src/features/offer-answers.ts';
import { startMs } from '../support/events.ts';

function outcome(kind: string, days: number, offerId = 'ten', of: object = {}): ShopEvent {
  return {
    type: 'offerOutcome',
    decisionId: `d${days}`,
    ...of,
    offerId,
    outcome: kind,
    eventId: `${kind}${days}`,
    channel: 'email',
    occurredAt: startMs + days * dayMs,
  } as ShopEvent;
}

function answersTo(...events: ShopEvent[]): OfferAnswer[] {
  const answers: OfferAnswer[] = [];
  for (const event of events) updateOfferAnswers(answers, event);
  return answers;
}
const days = (answers: OfferAnswer[]) => answers.map(({ at }) => (at - startMs) / dayMs);

test('redemptions and dismissals are kept with their offer and time; what was only seen is not', () => {
  expect(
    answersTo(
      outcome('viewed', 1),
      outcome('dismissed', 2),
      outcome('clicked', 3),
      outcome('redeemed', 4, 'five'),
    ),
  ).toEqual([
    { offerId: 'ten', outcome: 'dismissed', at: startMs + 2 * dayMs },
    { offerId: 'five', outcome: 'redeemed', at: startMs + 4 * dayMs, givenBy: 'd4' },
  ]);
});

test('what was given once is redeemed once, whichever of its decisions is told of it and in whatever order; dismissed as often as it is told', () => {
  const given = { decisionId: 'first' };
  const shownAgain = { decisionId: 'second', heldSince: 'first' };
  const events = [
    outcome('redeemed', 3, 'ten', given),
    outcome('redeemed', 4, 'ten', shownAgain),
    outcome('redeemed', 5, 'ten', { decisionId: 'third' }),
    outcome('redeemed', 6, 'five', given),
  ];
  for (const told of [events, [...events].reverse()])
    expect(answersTo(...told)).toEqual([
      { offerId: 'ten', outcome: 'redeemed', at: startMs + 3 * dayMs, givenBy: 'first' },
      { offerId: 'ten', outcome: 'redeemed', at: startMs + 5 * dayMs, givenBy: 'third' },
      { offerId: 'five', outcome: 'redeemed', at: startMs + 6 * dayMs, givenBy: 'first' },
    ]);
  expect(
    days(answersTo(outcome('dismissed', 1, 'ten', given), outcome('dismissed', 2, 'ten', given))),
  ).toEqual([1, 2]);
});

test('what is older than any rule looks back is left out', () => {
  expect(
    days(answersTo(outcome('dismissed', 0), outcome('dismissed', 1), outcome('dismissed', 367))),
  ).toEqual([1, 367]);
});

test('many redemptions do not push a dismissal out', () => {
  const many = Array.from({ length: offerAnswersMax + 5 }, (_, i) => outcome('redeemed', 1 + i));
  const answers = answersTo(outcome('dismissed', 0), ...many);
  expect(answers).toHaveLength(1 + offerAnswersMax);
  expect(answers[0]?.outcome).toBe('dismissed');
  expect(days(answers)[1]).toBe(1 + 5);
});

test('in whatever order they come, they stand in the order of time', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 300 }), { maxLength: 30 }), (order) => {
      const answers = answersTo(...order.map((day) => outcome('dismissed', day)));
      expect(days(answers)).toEqual([...order].sort((a, b) => a - b));
    }),
  );
});
