/** Decisions of the simulated shop: valid, allowed by the service's own rules, and drawn with the logged probability. */
import { beforeAll, expect, test } from 'vitest';
import { Decision } from '../../src/domain/decision.ts';
import { EventInput, type ShopEvent } from '../../src/domain/event.ts';
import { Offer, type OfferInput } from '../../src/domain/offer.ts';
import { dayMs } from '../../src/domain/time.ts';
import { applyEvent, emptyRecord, featureVector } from '../../src/features/record.ts';
import { FEATURE_NAMES } from '../../src/features/registry.ts';
import { compileRule } from '../../src/offers/compile-rule.ts';
import { contentVersion } from '../../src/offers/content-version.ts';
import { countsOf, parseLines, type SimulatedEvent, simulateTexts } from './in-memory.ts';

const small = { customers: 400, items: 120, days: 300, offerWeeks: 10, seed: 31, end: '2026-06-30' };
let texts: Awaited<ReturnType<typeof simulateTexts>>;
let decisions: Decision[];

beforeAll(async () => {
  texts = await simulateTexts(small);
  decisions = parseLines<unknown>(texts.decisions).map((line) => Decision.parse(line));
});

const madeBy = (decision: Decision) => decision.placements[0]!.offers[0];

test('each is valid, has an id of its own, and falls into the last weeks', () => {
  expect(new Set(decisions.map(({ decisionId }) => decisionId)).size).toBe(decisions.length);
  expect(decisions.length).toBeGreaterThan(1000);
  const endAt = Date.parse('2026-07-01T00:00:00Z');
  for (const { decidedAt } of decisions) {
    expect(Date.parse(decidedAt)).toBeLessThan(endAt);
    expect(Date.parse(decidedAt)).toBeGreaterThanOrEqual(endAt - 70 * dayMs);
  }
});

test('none are made where there are no such weeks', async () => {
  const none = await simulateTexts({ ...small, customers: 30, offerWeeks: 0 });
  expect(none.decisions).toBe('');
  expect(none.events).not.toContain('offerOutcome');
});

test('the logged probabilities are those of the draws', () => {
  // Σ 1 / propensity over the decisions for one action estimates the number of decisions in which it was possible.
  const none = decisions.filter((decision) => madeBy(decision) === undefined);
  const share = none.length / decisions.length;
  expect(none.every(({ placements }) => placements[0]!.loggingPropensity === 0.4)).toBe(true);
  expect(Math.abs(share - 0.4)).toBeLessThan(4 * Math.sqrt(0.24 / decisions.length));
  // Of decisions with as many candidates, each offer that all may have is drawn as often as its probability has it.
  const made = decisions.filter((decision) => madeBy(decision) !== undefined);
  const weight = made
    .filter((decision) => madeBy(decision)?.offerId === 'tasting-evening')
    .reduce((sum, { placements }) => sum + 1 / (placements[0]!.loggingPropensity ?? Number.NaN), 0);
  // Everybody may have it at any time.
  expect(weight / decisions.length).toBeGreaterThan(0.8);
  expect(weight / decisions.length).toBeLessThan(1.2);
});

test('by the service’s own features and rules the customer may have what was made, and has consented', () => {
  const offers = new Map(
    parseLines<OfferInput>(texts.offers).map((input) => {
      const offer = Offer.parse(input);
      return [offer.offerId as string, offer] as const;
    }),
  );
  const events = new Map<string, ShopEvent[]>();
  for (const line of [
    ...parseLines<SimulatedEvent>(texts.customers),
    ...parseLines<SimulatedEvent>(texts.events),
  ]) {
    const event = {
      ...EventInput.parse(withoutTime(line)),
      occurredAt: Date.parse(line.occurredAt),
    } as ShopEvent;
    events.set(line.customerId, [...(events.get(line.customerId) ?? []), event]);
  }
  let made = 0;
  let disagreed = 0;
  for (const [customerId, own] of events) {
    const record = emptyRecord();
    let next = 0;
    for (const decision of decisions.filter((of) => of.customerId === customerId)) {
      const at = Date.parse(decision.decidedAt);
      for (; next < own.length && own[next]!.occurredAt < at; next++) applyEvent(record, own[next]!);
      const drawn = madeBy(decision);
      if (drawn === undefined) continue;
      made++;
      expect(record.attributes.consent?.email).toBe(true);
      const offer = offers.get(drawn.offerId)!;
      expect(drawn.offerVersion).toBe(contentVersion(offer));
      const { loyaltyTier = 'none', segment } = record.attributes;
      const rule = offer.eligibility && compileRule(offer.eligibility, FEATURE_NAMES);
      const reason = rule?.({ features: featureVector(record, at), loyaltyTier, segment });
      if (reason !== undefined) disagreed++;
    }
  }
  expect(made).toBeGreaterThan(500);
  // The shop's books and the features differ in how old a late delivery is, and in returns.
  expect(disagreed / made).toBeLessThan(0.02);
});

test('outcomes belong to decisions, and are seen before anything else', () => {
  const ids = new Set(decisions.filter(madeBy).map(({ decisionId }) => decisionId));
  const outcomes = parseLines<SimulatedEvent & { decisionId: string }>(texts.events).filter(
    ({ type }) => type === 'offerOutcome',
  );
  const viewed = new Set<string>();
  for (const { decisionId, outcome } of outcomes) {
    expect(ids).toContain(decisionId);
    if (outcome === 'viewed') viewed.add(decisionId);
    expect(viewed).toContain(decisionId);
  }
  const counts = countsOf(outcomes.map(({ outcome }) => outcome));
  for (const outcome of ['viewed', 'clicked', 'redeemed', 'dismissed'])
    expect(counts.get(outcome) ?? 0).toBeGreaterThan(0);
});

function withoutTime({ at: _at, ...event }: Partial<SimulatedEvent>): Partial<SimulatedEvent> {
  return event;
}
