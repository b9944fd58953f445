import { expect, test } from 'vitest';
import { type DecideRequest, noContext, openDecision } from '../../src/decide/decide.ts';
import { listedText } from '../../src/decide/decision-log.ts';
import { type Decision, EXCLUSION_REASONS } from '../../src/domain/decision.ts';
import { DecisionFrame, unframed } from '../../src/domain/framed-decision.ts';
import { CustomerId } from '../../src/domain/ids.ts';
import { emptyRecord } from '../../src/features/record.ts';
import { decideDeps } from '../support/decide-deps.ts';
import { makeItem, makeOffer, noon } from '../support/offers.ts';
import { testRedis } from '../support/redis.ts';

const { redis, keys } = testRedis();
const deps = decideDeps(redis, keys, {
  offers: [
    makeOffer({ offerId: 'five', benefit: { kind: 'percentOff', percent: 5 } }),
    makeOffer({ offerId: 'ten', benefit: { kind: 'percentOff', percent: 10 } }),
    makeOffer({ offerId: 'gold', eligibility: { attribute: 'tier', in: ['gold'] } }),
    makeOffer({ offerId: 'over', validTo: new Date(noon - 1).toISOString() }),
  ],
  items: [makeItem({ itemId: 'tea', priceMinor: 1000 })],
  now: () => noon,
});
const market = await deps.market.read();
const standsUntil = new Date(noon).toISOString();

function both(of: Partial<DecideRequest>, record = emptyRecord()) {
  const request: DecideRequest = {
    subject: { customerId: CustomerId.parse("O'Hara ☕") },
    channel: 'web',
    placements: ['top'],
    campaign: 'süß "&" saftig',
    limit: 1,
    context: noContext,
    ...of,
  };
  const open = () => openDecision(request, record, [], market, { ...deps, random: () => 0 });
  const decisionId = 'd1';
  const { decision, reasons } = open().finishFramed();
  const text = listedText({ ...decision, decisionId }, standsUntil, reasons);
  return {
    whole: { ...open().finish(), decisionId, standsUntil },
    frame: DecisionFrame.parse(JSON.parse(reasons.frame.json)),
    stored: JSON.parse(text),
  };
}

/** As a list has it: without the terms of what is not made, values to the thousandth. */
function ofList(decision: Decision): unknown {
  const excluded = decision.excluded.map(({ terms: _, expectedValue, ...rest }) => ({
    ...rest,
    ...(expectedValue !== undefined && { expectedValue: Math.round(expectedValue * 1000) / 1000 }),
  }));
  return JSON.parse(JSON.stringify({ ...decision, excluded }));
}

test('read with its frame, a decision of a list says what one by itself does', () => {
  const { whole, frame, stored } = both({});
  expect(new Set(whole.excluded.map(({ reasonCode }) => reasonCode))).toEqual(
    new Set(['outranked', 'attribute:tier', 'no-longer-valid']),
  );
  expect(unframed(stored, frame)).toEqual(ofList(whole));
});

test('so does one that makes nothing, to whom all is excluded for one reason', () => {
  const { whole, frame, stored } = both({ channel: 'email' });
  expect(new Set(whole.excluded.map(({ reasonCode }) => reasonCode))).toContain('no-consent');
  expect(unframed(stored, frame)).toEqual(ofList(whole));
});

test('a frame of another build is read by its own reasons and features', () => {
  const { whole, frame, stored } = both({});
  const turned = {
    ...frame,
    reasonCodes: [...frame.reasonCodes].reverse(),
    features: frame.features.map((name) => `${name} of old`),
  };
  const { excluded, inputs } = unframed(stored, turned) as Decision;
  const at = (reasonCode: string) =>
    EXCLUSION_REASONS.indexOf(reasonCode as (typeof EXCLUSION_REASONS)[number]);
  const reasonOf = (offerId: string, of: Decision['excluded']) =>
    of.find((o) => o.offerId === offerId)?.reasonCode;
  expect(reasonOf('over', excluded)).toBe(EXCLUSION_REASONS.at(-1 - at('no-longer-valid')));
  expect(reasonOf('gold', excluded)).toBe(reasonOf('gold', whole.excluded));
  expect(Object.keys(inputs?.features ?? {})).toContain('purchaseCount of old');
});

test('without its frame it says that its reasons are lost; what was never framed is left as it is', () => {
  const { whole, stored } = both({});
  const { frame: _frame, inputs: _inputs, ...brief } = stored;
  expect(unframed(stored, undefined)).toEqual({ ...brief, excluded: [], reasonsLost: true });
  expect(unframed(whole, undefined)).toBe(whole);
});
