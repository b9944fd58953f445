/**
 * A campaign's list as it may be handed out now. It is kept for days: who has been erased since has no line any more, and who has
 * withdrawn consent is treated as one who had not given it when the list was made.
 */
import { z } from 'zod';
import { BATCH_COLUMNS, type BatchAbout, type BatchFormat } from '../domain/batch.ts';
import { CONTACT_CHANNELS } from '../domain/decision-policy.ts';
import type { RecordStore } from '../features/record-store.ts';
import { plainCell } from '../infra/csv.ts';
import { outlastRedis } from '../infra/outlast-redis.ts';
import { neverErased, type Tombstones } from '../infra/tombstones.ts';
import { mayAddress } from '../offers/may-address.ts';

/** Customers that are looked at together: their records are decoded in one go, while others wait. */
const togetherCustomers = 100;

export type ListRequest = {
  about: Pick<BatchAbout, 'channel' | 'format' | 'includeNothing'>;
  /** When the list was asked for: milliseconds since 1970. Who was erased before that is somebody else by the same id. */
  createdAt: number;
};

type StillAddressedDeps = {
  records: Pick<RecordStore, 'readManyEncoded'>;
  tombstones: Pick<Tombstones, 'erasedAt'>;
};

/** As much of a line as tells whether it stays. `without`: the line as it is told of one who is not to be addressed. */
type Line = {
  text: string;
  customerId: string;
  contactable: boolean;
  /** It makes an offer that is no stand-in for everybody. */
  isOffered: boolean;
  without: () => string;
};

/** `list`: the whole list in pieces, with its head. Rejects when Redis is away, in the midst of it only where that lasts. */
export async function* stillAddressed(
  list: AsyncIterable<string>,
  { about, createdAt }: ListRequest,
  { records, tombstones }: StillAddressedDeps,
): AsyncGenerator<string, undefined> {
  const { channel, format, includeNothing } = about;
  const isContact = CONTACT_CHANNELS.has(channel);

  /** Whose line says so: of CSV, a customer's lines stand together, one for each offer. */
  let toldOf: string | undefined;

  const lookUp = (ids: readonly string[]) =>
    Promise.all([tombstones.erasedAt(ids), records.readManyEncoded(ids)]);
  let hasBegun = false;

  async function kept(lines: readonly Line[]): Promise<string> {
    const ids = [...new Set(lines.map(({ customerId }) => customerId))];
    const [erased, read] = await (hasBegun ? outlastRedis(() => lookUp(ids)) : lookUp(ids));
    hasBegun = true;
    const found = new Map(
      ids.map((id, at) => [id, { erasedAt: erased[at] ?? neverErased, record: read[at] }]),
    );
    const mayStay = new Map<string, boolean>();
    let text = '';
    for (const line of lines) {
      const { customerId } = line;
      const { erasedAt = neverErased, record } = found.get(customerId) ?? {};
      if (erasedAt >= createdAt) continue;
      if (!line.contactable || !(isContact || line.isOffered)) {
        text += line.text;
        continue;
      }
      let stays = mayStay.get(customerId);
      if (stays === undefined) {
        stays = mayAddress(record?.()?.attributes ?? {}, channel);
        mayStay.set(customerId, stays);
      }
      if (stays) text += line.text;
      else if (includeNothing && toldOf !== customerId) {
        text += line.without();
        toldOf = customerId;
      }
    }
    return text;
  }

  let lines: Line[] = [];
  /** Of CSV, the line above all others; it comes with the first of them. */
  let head = '';
  let isHead = format === 'csv';
  for await (const text of linesOf(list, format)) {
    if (isHead) {
      isHead = false;
      head = text;
      continue;
    }
    lines.push(format === 'csv' ? csvLine(text) : jsonLine(text));
    if (lines.length < togetherCustomers) continue;
    yield head + (await kept(lines));
    head = '';
    lines = [];
  }
  if (head !== '' || lines.length > 0) yield head + (lines.length > 0 ? await kept(lines) : '');
  return undefined;
}

/** Whole lines with their ends. Of CSV, what is between quotes may have ends of lines. */
async function* linesOf(list: AsyncIterable<string>, format: BatchFormat): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of list) {
    rest += piece;
    let from = 0;
    for (let end = endOf(rest, from, format); end > 0; end = endOf(rest, from, format)) {
      yield rest.slice(from, end);
      from = end;
    }
    rest = rest.slice(from);
  }
}

/** Where the line that begins at `from` ends; 0: further on than the text. */
function endOf(text: string, from: number, format: BatchFormat): number {
  if (format === 'ndjson') return text.indexOf('\n', from) + 1;
  for (let end = text.indexOf('\r\n', from); end >= 0; end = text.indexOf('\r\n', end + 2))
    if (quotesIn(text.slice(from, end)) % 2 === 0) return end + 2;
  return 0;
}

function quotesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count++;
  return count;
}

const KnownLine = z.looseObject({
  customerId: z.string(),
  fallback: z.boolean(),
  contactable: z.boolean(),
  offers: z.array(z.unknown()),
});

function jsonLine(text: string): Line {
  const line = KnownLine.parse(JSON.parse(text));
  const { customerId, contactable, fallback, offers } = line;
  const without = () =>
    `${JSON.stringify({ ...line, fallback: false, contactable: false, reasonCode: 'no-consent', offers: [] })}\n`;
  return { text, customerId, contactable, isOffered: offers.length > 0 && !fallback, without };
}

const columnOf = (name: (typeof BATCH_COLUMNS)[number]) => BATCH_COLUMNS.indexOf(name);
const cellPattern = /("(?:[^"]|"")*"|[^,"]*)(?:,|\r\n$)/g;

function csvLine(text: string): Line {
  const cells = Array.from(text.matchAll(cellPattern), ([, cell = '']) => cell);
  const cell = (name: (typeof BATCH_COLUMNS)[number]) => cells[columnOf(name)] ?? '';
  const kept = ['customerId', 'decisionId', 'currency'].map((name) => columnOf(name as 'customerId'));
  const without = () => {
    const left = cells.map((text, at) => (kept.includes(at) ? text : ''));
    left[columnOf('fallback')] = 'false';
    left[columnOf('contactable')] = 'false';
    left[columnOf('reasonCode')] = 'no-consent';
    return `${left.join(',')}\r\n`;
  };
  return {
    text,
    customerId: plainCell(cell('customerId')),
    contactable: cell('contactable') === 'true',
    isOffered: cell('offerId') !== '' && cell('fallback') === 'false',
    without,
  };
}
