import { expect, test } from 'vitest';
import { decodePage, encodePage, type PreparedPage } from '../../../src/serve/recommend/prepared-page.ts';

const itemIds = ['tea', 'mug', 'pot'];
const itemIndex = new Map(itemIds.map((itemId, index) => [itemId, index]));
const page: PreparedPage = {
  items: [
    {
      itemId: 'mug',
      score: 0.5,
      voices: [
        { source: 'ease', share: 0.25, evidence: { segment: '', because: 'tea', isRising: false } },
        {
          source: 'buyAgain',
          share: 0.125,
          evidence: { segment: '', usualGap: { days: 12.5, personal: true }, isRising: false },
        },
      ],
    },
    {
      itemId: 'of-the-catalogue-alone',
      score: 0,
      voices: [{ source: 'catalogue', share: 0, evidence: { segment: '', isRising: false } }],
    },
    {
      itemId: 'pot',
      score: 0.25,
      voices: [{ source: 'popularity', share: 0.25, evidence: { segment: 'north', isRising: true } }],
    },
  ],
  isCut: true,
  direction: Float32Array.of(0.5, -2),
  categories: ['Coffee & Tea', 'Öl'],
  bought: ['pot'],
  segment: 'north',
};

/** With the voices read. */
const whole = (read: PreparedPage | undefined) =>
  read && {
    ...read,
    items: read.items.map(({ itemId, score, voices }) => ({ itemId, score, voices: plain(voices) })),
  };
/** Without what is said to be undefined. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

test('a page comes back as it was kept', () => {
  const bytes = encodePage(page, itemIndex);
  expect(whole(decodePage(bytes, 0, itemIds))).toEqual(whole(page));
  const shifted = Buffer.concat([Buffer.from('stamp'), bytes]);
  expect(whole(decodePage(shifted, 5, itemIds))).toEqual(whole(page));
  expect(decodePage(encodePage({ ...page, direction: undefined, items: [] }, itemIndex), 0, itemIds)).toEqual(
    {
      ...page,
      direction: undefined,
      items: [],
    },
  );
});

test('what is not whole, or of a model with fewer items, counts as none', () => {
  const bytes = encodePage(page, itemIndex);
  for (let length = 0; length < bytes.length; length++)
    expect(decodePage(bytes.subarray(0, length), 0, itemIds)).toBeUndefined();
  expect(decodePage(Buffer.concat([bytes, Buffer.of(0)]), 0, itemIds)).toBeUndefined();
  expect(decodePage(bytes, 0, ['tea'])).toBeUndefined();
});
