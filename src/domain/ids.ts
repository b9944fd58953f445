import { z } from 'zod';

/**
 * Ids are opaque strings that the shop chooses. Braces are refused because a customer's Redis keys carry
 * the id inside a hash tag `{c:ID}`; control characters because ids travel in logs, CSV and URLs; halves of surrogate
 * pairs because they do not survive UTF-8. The examples are those of the README.
 */
const idText = z
  .string()
  .min(1)
  .max(128)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused here
  .regex(/^[^\u0000-\u001f\u007f{}\p{Cs}]+$/u, 'must not contain control characters or braces');

/** `session:` begins the subject under which a guest's record is kept. */
export const CustomerId = idText
  .regex(/^(?!session:)/, 'must not begin with session:')
  .brand('CustomerId')
  .meta({ examples: ['c0000002'] });
export type CustomerId = z.output<typeof CustomerId>;

export const ItemId = idText.brand('ItemId').meta({ examples: ['i00004'] });
export type ItemId = z.output<typeof ItemId>;

export const OfferId = idText.brand('OfferId').meta({ examples: ['spring-10'] });
export type OfferId = z.output<typeof OfferId>;

export const SessionId = idText.brand('SessionId').meta({ examples: ['visit-1'] });
export type SessionId = z.output<typeof SessionId>;

export const EventId = idText.brand('EventId').meta({ examples: ['order-1001'] });
export type EventId = z.output<typeof EventId>;
