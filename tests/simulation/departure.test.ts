import { expect, test } from 'vitest';
import { createRng } from '../../src/algorithms/rng.ts';
import { createDeparture, HAZARD } from '../../src/simulation/departure.ts';

const WEEK_YEARS = 7 / 365.25;

test('without grievances, and an average frailty, a year adds up to the base hazard', () => {
  // spread · z = spread² / 2 makes the frailty 1.
  const departure = createDeparture(HAZARD.frailtySpread / 2, createRng(1));
  expect(departure.frailty).toBeCloseTo(1, 12);
  for (let week = 0; week < 52; week++) departure.week();
  expect(departure.sources.hidden).toBeCloseTo(HAZARD.basePerYear * 52 * WEEK_YEARS, 10);
  expect(departure.sources).toMatchObject({ lateDelivery: 0, lowRating: 0, openComplaint: 0 });
});

test('a late delivery weighs fully in its first week and half as much after a half-life', () => {
  const departure = createDeparture(HAZARD.frailtySpread / 2, createRng(1));
  departure.lateDelivery();
  departure.week();
  const first = departure.sources.lateDelivery;
  expect(first).toBeCloseTo(HAZARD.basePerYear * WEEK_YEARS * HAZARD.weights.lateDelivery, 10);
  departure.week();
  expect(departure.sources.lateDelivery - first).toBeCloseTo(first * 2 ** (-7 / HAZARD.halfLifeDays), 10);
});

test('an open complaint weighs until it is resolved', () => {
  const departure = createDeparture(HAZARD.frailtySpread / 2, createRng(1));
  const weekly = HAZARD.basePerYear * WEEK_YEARS * HAZARD.weights.openComplaint;
  departure.complaintOpened();
  departure.week();
  departure.week();
  expect(departure.sources.openComplaint).toBeCloseTo(2 * weekly, 10);
  departure.complaintResolved();
  departure.week();
  expect(departure.sources.openComplaint).toBeCloseTo(2 * weekly, 10);
});

test('what binds divides the hazard, fades with its own half-life, and is told apart from what was averted', () => {
  const departure = createDeparture(HAZARD.frailtySpread / 2, createRng(1));
  const weekly = HAZARD.basePerYear * WEEK_YEARS;
  const { pointsRedeemed, tookPart } = HAZARD.bonds;
  departure.tookPart();
  departure.pointsRedeemed();
  departure.week();
  const divided = weekly / (1 + pointsRedeemed + tookPart);
  expect(departure.sources.hidden).toBeCloseTo(divided, 12);
  expect(departure.averted.tookPart).toBeCloseTo(divided * tookPart, 12);
  expect(departure.averted.tookPart + departure.averted.pointsRedeemed).toBeCloseTo(weekly - divided, 12);
  departure.week();
  const left = 2 ** (-7 / HAZARD.bondHalfLifeDays);
  expect(departure.sources.hidden - divided).toBeCloseTo(
    weekly / (1 + (pointsRedeemed + tookPart) * left),
    12,
  );
});

test('grievances are divided too, and what bonds averted of them counts as averted', () => {
  const departure = createDeparture(HAZARD.frailtySpread / 2, createRng(1));
  departure.lateDelivery();
  departure.tookPart();
  departure.week();
  const weekly = HAZARD.basePerYear * WEEK_YEARS;
  const divided = 1 + HAZARD.bonds.tookPart;
  expect(departure.sources.lateDelivery).toBeCloseTo((weekly * HAZARD.weights.lateDelivery) / divided, 12);
  const whole = weekly * (1 + HAZARD.weights.lateDelivery);
  expect(departure.averted.tookPart).toBeCloseTo(whole - whole / divided, 12);
});

test('the hidden trait multiplies everything', () => {
  const calm = createDeparture(0, createRng(1));
  const restless = createDeparture(1, createRng(1));
  for (const departure of [calm, restless]) {
    departure.lowRating();
    departure.week();
  }
  const factor = Math.exp(HAZARD.frailtySpread);
  expect(restless.sources.hidden / calm.sources.hidden).toBeCloseTo(factor, 10);
  expect(restless.sources.lowRating / calm.sources.lowRating).toBeCloseTo(factor, 10);
});

test('times of leaving are exponential in the integrated hazard: a share e^-H stays', () => {
  const customers = 4000;
  let stayed = 0;
  let integrated = 0;
  for (let k = 0; k < customers; k++) {
    const departure = createDeparture(HAZARD.frailtySpread / 2, createRng(9, k));
    let left = false;
    for (let week = 0; week < 104; week++) left = departure.week() || left;
    if (!left) stayed++;
    integrated = departure.sources.hidden;
  }
  const expected = Math.exp(-integrated);
  const error = Math.sqrt((expected * (1 - expected)) / customers);
  expect(Math.abs(stayed / customers - expected)).toBeLessThan(5 * error);
});
