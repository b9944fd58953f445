import { expect, test } from 'vitest';
import { BatchAbout } from '../../../src/domain/batch.ts';
import type { ShopEvent } from '../../../src/domain/event.ts';
import { writeEntries } from '../../../src/history/write-entries.ts';
import { whyNobody } from '../../../src/train/batch/why-nobody.ts';
import { testLake } from '../../support/lake.ts';

const about = (who: object) =>
  BatchAbout.parse({ channel: 'web', campaign: 'spring', listed: false, ...who });

let nextId = 0;
const moved = (customerId: string, day: number, attributes: object) =>
  ({
    type: 'customerUpdated',
    eventId: `e${nextId++}`,
    customerId,
    occurredAt: Date.UTC(2026, 0, day),
    channel: 'web',
    attributes,
  }) as unknown as ShopEvent;

test('of a segment that nobody is in: which there are, by where each customer is now, the largest first', async () => {
  const lake = await testLake();
  const events = [
    moved('anna', 1, { segment: 'south' }),
    moved('anna', 2, { segment: 'north' }),
    // Says nothing of the segment: she stays where she is.
    moved('anna', 3, { consent: { email: true } }),
    moved('bert', 1, { segment: 'north' }),
    moved('cleo', 1, { segment: 'east' }),
  ];
  await writeEntries(lake, 'all', { events, catalogue: [], decisions: [] });
  expect(await whyNobody(about({ segment: 'nroth' }), 3, lake)).toBe(
    'Nobody is in the segment "nroth". The shop\'s segments are: north (2), east (1).',
  );
  const rule = { attribute: 'segment', in: ['nroth'] };
  expect(await whyNobody(about({ eligibility: rule }), 3, lake)).toBe(
    "The rule (eligibility) holds for none of the 3 customers. The shop's segments are: north (2), east (1).",
  );
});

test('where there is no segment, no customer, or no score, it says that', async () => {
  const lake = await testLake();
  expect(await whyNobody(about({ segment: 'north' }), 0, lake)).toContain('No customer has a segment');
  expect(await whyNobody(about({}), 0, lake)).toContain('no event of a customer has come into the lake yet');
  const rule = { not: { score: 'rfmSegment', in: ['champion'] } };
  const scores = await whyNobody(about({ eligibility: rule }), 9, lake);
  expect(scores).toMatch(/holds for none of the 9 customers\. A score is not known while no model is served/);
  expect(scores).not.toContain('segments are');
  expect(await whyNobody(about({ listed: true }), 2, lake)).toContain('have been erased');
});
