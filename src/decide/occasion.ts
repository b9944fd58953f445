/**
 * The message, page or call that a decision is part of. Tools ask for each place of a message by itself: what is asked for the
 * same channel and campaign within a day reaches the customer as one contact. Where the customer comes by herself, each page is
 * one of its own unless it names a campaign.
 */
import { createHash } from 'node:crypto';
import type { Channel } from '../domain/channel.ts';
import { CONTACT_CHANNELS } from '../domain/decision-policy.ts';
import { dayMs } from '../domain/time.ts';
import type { ContactHistory } from '../offers/contact-history.ts';

/**
 * Of a contact that is already there, or a new one; undefined: the decision is one by itself. A campaign is hashed, because the
 * shop chooses its name.
 */
export function occasionOf(
  channel: Channel,
  campaign: string | undefined,
  contacts: ContactHistory,
  now: number,
): string | undefined {
  if (campaign === undefined && !CONTACT_CHANNELS.has(channel)) return undefined;
  const name = occasionName(channel, campaign);
  const same = contacts.find(
    ({ occasionId, at }) => occasionId.startsWith(`${name}.`) && now - at < dayMs && at <= now,
  );
  return same?.occasionId ?? `${name}.${now.toString(36)}`;
}

/** The last one: a list asks for the same for every customer. */
let last: { channel: Channel; campaign: string | undefined; name: string } | undefined;

/** What the ids of its occasions begin with, before a dot. */
export function occasionName(channel: Channel, campaign: string | undefined): string {
  if (last?.channel !== channel || last.campaign !== campaign) {
    const text = JSON.stringify([channel, campaign ?? null]);
    const name = createHash('sha256').update(text).digest('base64url').slice(0, 10);
    last = { channel, campaign, name };
  }
  return last.name;
}
