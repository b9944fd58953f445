import { z } from 'zod';
import { Channel, LoyaltyTier } from './channel.ts';
import { CustomerId } from './ids.ts';
import { TimeZone } from './time-zone.ts';

/** Consent to be contacted, by channel. A channel that is absent has no consent. */
export const Consent = z.partialRecord(Channel, z.boolean());
export type Consent = z.output<typeof Consent>;

/** What the CRM knows of a customer and may change; everything else comes out of events. */
export const CustomerAttributes = z.strictObject({
  loyaltyTier: LoyaltyTier.optional(),
  consent: Consent.optional(),
  /** Market segment of the shop's own making (country, region, store …); popularity is kept by it. */
  segment: z.string().max(100).optional(),
  /** IANA time zone of the customer's clock, for quiet hours. */
  timeZone: TimeZone.optional(),
});
export type CustomerAttributes = z.output<typeof CustomerAttributes>;

export const Customer = CustomerAttributes.extend({ customerId: CustomerId });
export type Customer = z.output<typeof Customer>;
