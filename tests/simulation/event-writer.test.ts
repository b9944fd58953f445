import { describe, expect, test } from 'vitest';
import { EventInput } from '../../src/domain/event.ts';
import { createCalendar } from '../../src/simulation/calendar.ts';
import { createCatalogue } from '../../src/simulation/catalogue.ts';
import { EventWriter, lineStarts } from '../../src/simulation/event-writer.ts';
import { optionsOf, parseLines, type SimulatedEvent } from './in-memory.ts';

const options = optionsOf({ items: 30, days: 30, end: '2026-06-30' });
const calendar = createCalendar(options);
const catalogue = createCatalogue(options, calendar);
const starts = lineStarts(catalogue);
const noon = Date.parse('2026-06-10T12:00:00Z');
const writer = () => new EventWriter(calendar, starts, 'run', 'c1');
const [item] = catalogue.items;
const line = { item: 0, quantity: 2, unitPriceMinor: 999, discountMinor: 100 };

describe('lines', () => {
  test('a purchase carries its lines, the discount only where there is one', () => {
    const own = writer();
    own.purchase(noon, 'store', 'c1-o1', [line, { ...line, item: 1, discountMinor: 0 }]);
    const [purchase] = parseLines(own.take());
    const category = catalogue.categories[0]!.name;
    expect(purchase).toEqual({
      type: 'purchase',
      eventId: 'run-c1-0',
      customerId: 'c1',
      occurredAt: '2026-06-10T12:00:00Z',
      channel: 'store',
      orderId: 'c1-o1',
      lines: [
        { itemId: item!.itemId, category, quantity: 2, unitPriceMinor: 999, discountMinor: 100 },
        {
          itemId: catalogue.items[1]!.itemId,
          category: catalogue.categories[catalogue.items[1]!.category]!.name,
          quantity: 2,
          unitPriceMinor: 999,
        },
      ],
    });
  });

  test('every kind that is written by hand is JSON and valid', () => {
    const own = writer();
    own.attributes(noon, 'email', { loyaltyTier: 'gold' });
    own.visit(noon, 'web');
    own.view(noon, 'app', 0);
    own.addToCart(noon, 'app', [line]);
    own.purchase(noon, 'web', 'o1', [line]);
    own.delivery(noon, 'web', 'o1', true);
    own.rating(noon, 'web', 2, undefined);
    own.rating(noon, 'web', 5, item!.itemId);
    own.contact(noon, 'delivery', 'opened');
    own.contact(noon, 'question', undefined);
    own.return(noon, 'web', 'o1', line);
    own.nps(noon, 9);
    own.points(noon, 'earned', 20, 'o1');
    own.points(noon, 'expired', 20, undefined);
    own.community(noon, 'review');
    own.marketing(noon, 'news-2026-06-01', 'opened');
    const lines = parseLines(own.take());
    expect(lines).toHaveLength(16);
    for (const event of lines) EventInput.parse(event);
  });
});

describe('time', () => {
  test('no two events fall on one second, and none before another that was written before it', () => {
    const own = writer();
    own.visit(noon, 'web');
    own.visit(noon + 400, 'web');
    own.visit(noon - 60_000, 'web');
    expect(parseLines<SimulatedEvent>(own.take()).map(({ occurredAt }) => occurredAt)).toEqual([
      '2026-06-10T12:00:00Z',
      '2026-06-10T12:00:01Z',
      '2026-06-10T12:00:02Z',
    ]);
    expect(own.clock).toBe(noon + 2000);
  });

  test('the hand-made text is what Date makes of the time', () => {
    for (const at of [calendar.startAt, calendar.endAt - 1000, noon + 59_000, noon + 3_599_000]) {
      const own = writer();
      own.visit(at, 'web');
      const [event] = parseLines<SimulatedEvent>(own.take());
      expect(Date.parse(event!.occurredAt)).toBe(at);
    }
  });

  test('what would happen at the end or later does not happen', () => {
    const own = writer();
    expect(own.purchase(calendar.endAt, 'web', 'o1', [line])).toBe(false);
    expect(own.take()).toBe('');
    expect(own.count).toBe(0);
  });
});
