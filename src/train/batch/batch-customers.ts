/** The customers of a batch: whom it is about, and all that a decision on them takes. */
import { hash } from 'node:crypto';
import { createRng, type Rng } from '../../algorithms/rng.ts';
import { customerFacts } from '../../decide/customer-facts.ts';
import { type DecideRequest, noContext, type openDecision } from '../../decide/decide.ts';
import { decisionIdOf } from '../../decide/decision-id.ts';
import type { DecidingDeps } from '../../decide/deps.ts';
import type { ReadContacts } from '../../decide/ledger/contact-ledger.ts';
import { standingKey } from '../../decide/read-standing.ts';
import type { BatchAbout } from '../../domain/batch.ts';
import type { CustomerId } from '../../domain/ids.ts';
import type { CustomerRecord } from '../../features/record.ts';
import { FEATURE_NAMES } from '../../features/registry.ts';
import { getMany } from '../../infra/redis-together.ts';
import type { Tombstones } from '../../infra/tombstones.ts';
import { type CompiledRule, compileRule } from '../../offers/compile-rule.ts';
import type { ContactHistory } from '../../offers/contact-history.ts';
import type { OfferMarket } from '../../offers/offer-market.ts';

export type BatchOf = {
  batchId: string;
  about: BatchAbout;
  /** Milliseconds since 1970: the decisions' ids begin with it, so that one that is made again has the same. */
  createdAt: number;
  /** How often it has stopped in the middle of a part, whose decisions are logged: those it makes since have other ids. */
  breaks?: number;
};

export type BatchDecidingDeps = DecidingDeps & { tombstones: Pick<Tombstones, 'erasedAt'> };

/** Which offers' budgets are for others than this customer. */
export type Withheld = (customerId: CustomerId) => (offerId: string) => boolean;

/** The record is decoded for as long as its customer is decided on: those of all who wait for Redis would be most of what is in memory. */
export type BatchCustomer = {
  customerId: CustomerId;
  record: () => CustomerRecord | undefined;
  contacts: ReadContacts;
  /** Where the customer's decision stands, and what stands there; null: nothing. */
  key: string;
  text: Buffer | null;
  /** There is a record; absent until it has been decoded. */
  known?: boolean;
};

/** Of `openDecision`, without what the list says to exploring. */
type AskedOf = Parameters<typeof openDecision> extends [...infer Asked, unknown?] ? Asked : never;

export function createBatchCustomers(batch: BatchOf, deps: BatchDecidingDeps) {
  const { about, batchId, breaks = 0 } = batch;
  const ownName = breaks === 0 ? batchId : `${batchId}.${breaks}`;
  const isWanted = wantedBy(about, deps);
  const placements = [about.placement];
  const placeAbout = { channel: about.channel, campaign: about.campaign, placement: about.placement };
  const placeOf = (customerId: CustomerId) => ({ subject: { customerId }, ...placeAbout });
  const requestFor = (customerId: CustomerId): DecideRequest => ({
    subject: { customerId },
    channel: about.channel,
    placements,
    campaign: about.campaign,
    limit: about.limit,
    context: noContext,
  });

  /** Without those who have been erased since it was asked for, who would begin anew by its decision. */
  async function read(customerIds: readonly CustomerId[]): Promise<BatchCustomer[]> {
    const keys = customerIds.map((customerId) => standingKey(placeOf(customerId), deps));
    const [erased, records, contacts, texts] = await Promise.all([
      deps.tombstones.erasedAt(customerIds),
      deps.records.readManyEncoded(customerIds),
      deps.contacts.readMany(customerIds),
      getMany(deps.redis, keys),
    ]);
    return customerIds.flatMap((customerId, at): BatchCustomer[] => {
      const record = records[at];
      const read = contacts[at];
      if ((erased[at] ?? -1) >= batch.createdAt || record === undefined || read === undefined) return [];
      return [{ customerId, record, contacts: read, key: keys[at] ?? '', text: texts[at] ?? null }];
    });
  }

  /**
   * What `openDecision` and `valueOffers` take; undefined of somebody whom the batch is not about. A decision that is made again after
   * a crash must not stand in its own way.
   */
  function asked(
    customer: BatchCustomer,
    market: OfferMarket,
    now: number,
    withheld?: Withheld,
  ): AskedOf | undefined {
    const { customerId, contacts } = customer;
    const record = customer.record();
    customer.known = record !== undefined;
    if (!isWanted(customerId, record)) return undefined;
    // The same draw whenever it is made again; most of those whom nothing may be offered need none.
    let rng: Rng | undefined;
    const random = () => {
      rng ??= createRng(batchId, customerId);
      return rng.next();
    };
    const request = requestFor(customerId);
    return [
      withheld === undefined ? request : { ...request, withheld: withheld(customerId) },
      record,
      withoutOwn(contacts.history, customerId),
      market,
      { catalogue: deps.catalogue, models: deps.models, now: () => now, random },
    ];
  }

  function withoutOwn(history: ContactHistory, customerId: CustomerId): ContactHistory {
    if (history.length === 0) return history;
    const decisionId = idFor(customerId);
    return history.filter((contact) => contact.decisionId !== decisionId);
  }

  function idFor(customerId: CustomerId): string {
    const digest = hash('sha256', `${ownName} ${customerId}`, 'hex');
    return decisionIdOf(batch.createdAt, digest);
  }

  return { ownName, placeOf, requestFor, read, asked, withoutOwn, idFor };
}

export type BatchCustomers = ReturnType<typeof createBatchCustomers>;

function wantedBy(
  { listed, segment, eligibility }: BatchAbout,
  { models, catalogue, now }: Pick<BatchDecidingDeps, 'models' | 'catalogue' | 'now'>,
): (customerId: CustomerId, record: CustomerRecord | undefined) => boolean {
  if (listed) return () => true;
  if (segment !== undefined) return (_, record) => record?.attributes.segment === segment;
  if (eligibility === undefined) return (_, record) => record !== undefined;
  const rule: CompiledRule = compileRule(eligibility, FEATURE_NAMES);
  return (customerId, record) =>
    record !== undefined &&
    rule(customerFacts(customerId, record, models, catalogue.items, noContext, now())) === undefined;
}
