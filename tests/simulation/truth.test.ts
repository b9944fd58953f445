/** The simulated events show the truth that is written beside them. One shop for all; seeds are fixed. */

import { beforeAll, describe, expect, test } from 'vitest';
import { dayMs } from '../../src/domain/time.ts';
import { countsOf, mean, type Simulated, type SimulatedEvent, simulated } from './in-memory.ts';

let shop: Simulated;

beforeAll(async () => {
  shop = await simulated({ customers: 1500, items: 240, days: 540, seed: 5, end: '2026-06-30' });
});

const purchasesOf = (events: readonly SimulatedEvent[]) => events.filter(({ type }) => type === 'purchase');

describe('tastes', () => {
  test('customers keep to few categories, far more than chance has it', () => {
    const shares = new Map<string, number>();
    let lines = 0;
    for (const { events } of shop.customers.values())
      for (const { lines: bought } of purchasesOf(events))
        for (const { category } of bought!) {
          shares.set(category, (shares.get(category) ?? 0) + 1);
          lines++;
        }
    // Chance that two lines of different customers fall into one category: Σ share².
    const byChance = [...shares.values()].reduce((sum, count) => sum + (count / lines) ** 2, 0);
    const own: number[] = [];
    for (const { events } of shop.customers.values()) {
      const bought = purchasesOf(events).flatMap((event) => event.lines!);
      if (bought.length < 10) continue;
      const counts = [...countsOf(bought.map(({ category }) => category)).values()];
      // Chance that two different lines of the customer fall into one category: Σ n(n − 1) / N(N − 1).
      const pairs = counts.reduce((sum, n) => sum + n * (n - 1), 0);
      own.push(pairs / (bought.length * (bought.length - 1)));
    }
    expect(own.length).toBeGreaterThan(300);
    expect(mean(own)).toBeGreaterThan(2.5 * byChance);
  });

  test('what is viewed fits the truth: tastes point towards the items that are viewed', () => {
    const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, f) => sum + x * b[f]!, 0);
    const everyItem = [...shop.itemTruths.values()];
    const viewed: number[] = [];
    const average: number[] = [];
    for (const { truth, events } of shop.customers.values()) {
      average.push(mean(everyItem.map(({ factors }) => dot(truth.taste, factors))));
      for (const event of events)
        if (event.type === 'view')
          viewed.push(dot(truth.taste, shop.itemTruths.get(event.lines![0]!.itemId)!.factors));
    }
    // Both are cosines: unit vectors. In 12 dimensions that of two random ones has a standard deviation of 0.29.
    expect(mean(viewed)).toBeGreaterThan(0.2);
    expect(Math.abs(mean(average))).toBeLessThan(0.1);
  });

  test('popularity has a long tail: a tenth of the items sells over a quarter, a half over three quarters', () => {
    const sold = new Map([...shop.itemTruths.keys()].map((itemId) => [itemId, 0]));
    for (const { events } of shop.customers.values())
      for (const event of purchasesOf(events))
        for (const { itemId } of event.lines!) sold.set(itemId, sold.get(itemId)! + 1);
    const counts = [...sold.values()].sort((a, b) => b - a);
    const total = counts.reduce((sum, n) => sum + n, 0);
    const shareOfFirst = (n: number) => counts.slice(0, n).reduce((sum, count) => sum + count, 0) / total;
    expect(shareOfFirst(24)).toBeGreaterThan(0.25);
    expect(shareOfFirst(120)).toBeGreaterThan(0.75);
    expect(counts[0]).toBeLessThan(0.1 * total);
  });
});

describe('rhythm', () => {
  test('what runs out is bought again after the gap that the truth tells', () => {
    const ratios: number[] = [];
    for (const { truth, events } of shop.customers.values())
      for (const { itemId, gapDays } of truth.habits) {
        const times = purchasesOf(events)
          .filter(({ lines }) => lines!.some((line) => line.itemId === itemId))
          .map(({ at }) => at);
        if (times.length < 5) continue;
        ratios.push((times.at(-1)! - times[0]!) / (times.length - 1) / (gapDays * dayMs));
      }
    expect(ratios.length).toBeGreaterThan(100);
    // Buying along with other orders shortens the gaps a little, a habit taken up anew lengthens some.
    expect(mean(ratios)).toBeGreaterThan(0.85);
    expect(mean(ratios)).toBeLessThan(1.15);
  });

  test('a customer’s gap is the item’s, at the customer’s pace: on the whole the two agree', () => {
    const ratios = [...shop.customers.values()].flatMap(({ truth }) =>
      truth.habits.map(({ itemId, gapDays }) => Math.log(gapDays / shop.itemTruths.get(itemId)!.gapDays!)),
    );
    // The logarithm's standard deviation is √(0.15² + 0.1²) = 0.18.
    expect(Math.abs(mean(ratios))).toBeLessThan((5 * 0.18) / Math.sqrt(ratios.length));
  });

  test('what does not run out is bought once', () => {
    for (const { events } of shop.customers.values()) {
      const once = purchasesOf(events)
        .flatMap(({ lines }) => lines!)
        .filter(({ itemId }) => shop.itemTruths.get(itemId)!.gapDays === null);
      expect(new Set(once.map(({ itemId }) => itemId)).size).toBe(once.length);
    }
  });

  test('nothing is sold before its launch or after it was dropped', () => {
    let limited = 0;
    for (const { events } of shop.customers.values())
      for (const event of purchasesOf(events))
        for (const { itemId } of event.lines!) {
          const { availableFrom, availableTo } = shop.itemTruths.get(itemId)!;
          if (availableFrom === null && availableTo === null) continue;
          limited++;
          // An order is put together when the visit begins and paid minutes later.
          if (availableFrom !== null) expect(event.at).toBeGreaterThanOrEqual(Date.parse(availableFrom));
          if (availableTo !== null) expect(event.at).toBeLessThan(Date.parse(availableTo) + dayMs / 8);
        }
    expect(limited).toBeGreaterThan(100);
    const dropped = [...shop.itemTruths.values()].filter(({ availableTo }) => availableTo !== null);
    expect(dropped.map(({ itemId }) => itemId)).toEqual(
      shop.items.filter(({ discontinued }) => discontinued).map(({ itemId }) => itemId),
    );
  });
});

describe('seasons', () => {
  const ordersBetween = (from: string, to: string) => {
    const [start, end] = [Date.parse(`${from}T00:00:00Z`), Date.parse(`${to}T00:00:00Z`)];
    let orders = 0;
    for (const { events } of shop.customers.values())
      orders += purchasesOf(events).filter(({ at }) => at >= start && at < end).length;
    return orders / ((end - start) / dayMs);
  };

  test('the weeks before Christmas are well above the weeks before and after', () => {
    const peak = ordersBetween('2025-11-20', '2025-12-21');
    expect(peak).toBeGreaterThan(1.25 * ordersBetween('2025-10-20', '2025-11-20'));
    // 1.4 to 1.5 times, over seeds: habits keep to no season.
    expect(peak).toBeGreaterThan(1.3 * ordersBetween('2025-12-24', '2026-01-16'));
  });

  test('weekends are busier than the middle of the week', () => {
    const byWeekday = [0, 0, 0, 0, 0, 0, 0];
    for (const { events } of shop.customers.values())
      for (const { at } of purchasesOf(events)) byWeekday[new Date(at).getUTCDay()]!++;
    const weekend = (byWeekday[0]! + byWeekday[6]!) / 2;
    const middle = (byWeekday[2]! + byWeekday[3]! + byWeekday[4]!) / 3;
    // The calendar says 1.175 against 0.883; habits keep to no weekday.
    expect(weekend).toBeGreaterThan(1.1 * middle);
  });

  test('toys sell in December, garden things in May', () => {
    const shareInMonth = (category: string, month: number) => {
      const times: number[] = [];
      for (const { events } of shop.customers.values())
        for (const { at, lines } of purchasesOf(events))
          if (lines!.some((line) => line.category === category)) times.push(at);
      return times.filter((at) => new Date(at).getUTCMonth() === month).length / times.length;
    };
    expect(shareInMonth('Toys', 11)).toBeGreaterThan(1.5 * shareInMonth('Garden', 11));
    expect(shareInMonth('Garden', 4)).toBeGreaterThan(1.5 * shareInMonth('Toys', 4));
  });
});

describe('leaving', () => {
  test('after churn nothing comes from the customer: the shop writes, points expire', () => {
    let churned = 0;
    for (const { truth, events } of shop.customers.values()) {
      if (truth.churnedAt === null) continue;
      churned++;
      const own = events.filter(({ outcome, change }) => outcome !== 'sent' && change !== 'expired');
      expect(own.at(-1)?.at ?? 0).toBeLessThan(Date.parse(truth.churnedAt));
    }
    // Enough of both kinds to learn from.
    expect(churned / shop.customers.size).toBeGreaterThan(0.25);
    expect(churned / shop.customers.size).toBeLessThan(0.75);
  });

  /** Share of deliveries of regular customers, late or not, after which the customer began to leave within 90 days. */
  const leftAfter = (late: boolean) => {
    let deliveries = 0;
    let left = 0;
    for (const { truth, events } of shop.customers.values()) {
      if (truth.oneTime) continue;
      const fadingFrom = truth.fadingFrom === null ? Number.POSITIVE_INFINITY : Date.parse(truth.fadingFrom);
      for (const { type, at, late: wasLate } of events) {
        if (type !== 'delivery' || wasLate !== late || at >= fadingFrom) continue;
        if (at > Date.parse('2026-04-01T00:00:00Z')) continue;
        deliveries++;
        if (fadingFrom - at < 90 * dayMs) left++;
      }
    }
    return left / deliveries;
  };

  test('a late delivery makes leaving within 90 days at least half as likely again', () => {
    expect(leftAfter(true)).toBeGreaterThan(1.5 * leftAfter(false));
  });

  test('those who begin to leave come less than they did', () => {
    const before: number[] = [];
    const after: number[] = [];
    for (const { truth, events } of shop.customers.values()) {
      if (truth.fadingFrom === null || truth.oneTime) continue;
      const from = Date.parse(truth.fadingFrom);
      const visits = events.filter(({ type }) => type === 'visit');
      before.push(visits.filter(({ at }) => at < from && at >= from - 28 * dayMs).length);
      after.push(visits.filter(({ at }) => at >= from && at < from + 28 * dayMs).length);
    }
    expect(before.length).toBeGreaterThan(200);
    expect(mean(after)).toBeLessThan(0.6 * mean(before));
  });

  test('the hidden trait drives leaving too', () => {
    const regulars = [...shop.customers.values()].filter(({ truth }) => truth.existing);
    const share = (of: typeof regulars) => mean(of.map(({ truth }) => (truth.fadingFrom === null ? 0 : 1)));
    const restless = regulars.filter(({ truth }) => truth.hiddenTrait > 0.5);
    const settled = regulars.filter(({ truth }) => truth.hiddenTrait < -0.5);
    expect(share(restless)).toBeGreaterThan(1.3 * share(settled));
  });

  test('many buy once, regular customers ten to twenty times and more', () => {
    const truths = [...shop.customers.values()].map(({ truth }) => truth);
    expect(mean(truths.map(({ oneTime }) => (oneTime ? 1 : 0)))).toBeGreaterThan(0.12);
    const regular = truths.filter(({ existing, churnedAt }) => existing && churnedAt === null);
    const orders = regular.map((truth) => truth.orders).sort((a, b) => a - b);
    const median = orders[Math.floor(orders.length / 2)]!;
    expect(median).toBeGreaterThanOrEqual(10);
    expect(median).toBeLessThanOrEqual(25);
  });

  test('the truth counts the orders that the events show', () => {
    for (const { truth, events } of shop.customers.values())
      expect(truth.orders).toBe(purchasesOf(events).length);
  });
});

describe('engagement', () => {
  /** Share of these events after which the customer began to leave within 120 days. */
  const leftAfter = (is: (event: SimulatedEvent) => boolean) => {
    let seen = 0;
    let left = 0;
    for (const { truth, events } of shop.customers.values()) {
      const fadingFrom = truth.fadingFrom === null ? Number.POSITIVE_INFINITY : Date.parse(truth.fadingFrom);
      for (const event of events) {
        if (!is(event) || event.at >= fadingFrom || event.at > Date.parse('2026-03-01T00:00:00Z')) continue;
        seen++;
        if (fadingFrom - event.at < 120 * dayMs) left++;
      }
    }
    expect(seen).toBeGreaterThan(100);
    return left / seen;
  };

  test('detractors leave at least half as often again as promoters', () => {
    const promoters = leftAfter(({ type, score }) => type === 'nps' && score! >= 9);
    expect(leftAfter(({ type, score }) => type === 'nps' && score! <= 6)).toBeGreaterThan(1.5 * promoters);
  });

  // Who redeems points buys often, and has more to complain about: what points avert does not show in such shares.
  test('who takes part leaves less often than who buys', () => {
    const buyers = leftAfter(({ type }) => type === 'purchase');
    expect(leftAfter(({ type }) => type === 'community')).toBeLessThan(0.85 * buyers);
  });

  test('nobody redeems more points than were collected, and the truth tells what points averted', () => {
    let members = 0;
    for (const { truth, events } of shop.customers.values()) {
      let balance = 0;
      let redeemed = false;
      for (const { change, points } of events) {
        if (points === undefined) continue;
        balance += change === 'earned' ? points : -points;
        redeemed ||= change === 'redeemed';
        expect(balance).toBeGreaterThanOrEqual(0);
      }
      // Something is averted only in a week that passes before the customer begins to leave.
      if (truth.hazard.averted.pointsRedeemed > 0) {
        members++;
        expect(redeemed).toBe(true);
      }
    }
    expect(members).toBeGreaterThan(100);
  });

  test('messages go to those who consent, and stop with an unsubscription', () => {
    let unsubscribed = 0;
    for (const { events } of shop.customers.values()) {
      const messages = events.filter(({ type }) => type === 'marketingContact');
      const at = messages.findIndex(({ outcome }) => outcome === 'unsubscribed');
      if (at === -1) continue;
      unsubscribed++;
      expect(messages.slice(at + 1)).toEqual([]);
    }
    expect(unsubscribed).toBeGreaterThan(20);
  });
});

describe('experience', () => {
  test('late deliveries are rated lower, and complained about', () => {
    const stars = { late: [] as number[], onTime: [] as number[] };
    let complaints = 0;
    for (const { events } of shop.customers.values()) {
      let late = false;
      for (const event of events) {
        if (event.type === 'delivery') late = event.late!;
        if (event.type === 'rating') stars[late ? 'late' : 'onTime'].push(event.rating!);
        if (event.complaint === 'opened') complaints++;
      }
    }
    expect(mean(stars.late)).toBeLessThan(mean(stars.onTime) - 0.5);
    expect(complaints).toBeGreaterThan(50);
  });

  test('a complaint is resolved only after it was opened, and some never are', () => {
    let open = 0;
    let resolvedFirst = 0;
    for (const { events } of shop.customers.values()) {
      let ofCustomer = 0;
      for (const { complaint } of events) {
        if (complaint === 'opened') ofCustomer++;
        if (complaint === 'resolved') ofCustomer--;
        if (ofCustomer < 0) resolvedFirst++;
      }
      open += ofCustomer;
    }
    expect(resolvedFirst).toBe(0);
    expect(open).toBeGreaterThan(0);
  });
});
