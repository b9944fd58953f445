/** The erasure of a customer: what was asked, how far it is, and the receipt that proves it. No receipt names a customer. */
import { z } from 'zod';
import { CustomerId, SessionId } from './ids.ts';

export const ReceiptId = z.string().regex(/^erasure-[0-9a-f]{24}$/, 'must be the id of a receipt');
export type ReceiptId = z.output<typeof ReceiptId>;

/** An erasure is complete within so long of the request, where a worker runs. */
export const erasureDueMs = 24 * 3_600_000;

/**
 * `waiting` for a worker; `erasing`; `settling`: erased everywhere, readers of replaced files are left time to end, then
 * everything is looked through again; `compacting`: nothing was found, Redis writes its files anew; `completed`.
 */
const ERASURE_STATES = ['waiting', 'erasing', 'settling', 'compacting', 'completed'] as const;
const ErasureState = z.enum(ERASURE_STATES);

const counts = z.record(z.string(), z.int().min(0));

/** A model that was trained while the customer's rows were there. */
const InfluencedModel = z.object({
  name: z.string(),
  version: z.string(),
  trainedAt: z.iso.datetime(),
  served: z.boolean(),
  /** When the next training by the clock begins, whose models know nothing of the customer. */
  influenceUntil: z.iso.datetime(),
});

/** What a redemption of the customer's has taken of an offer's budget; nobody's by now, and still spent. */
export const SpentBudget = z.object({
  offerId: z.string(),
  period: z.string(),
  /** `late`: beyond the budget. */
  state: z.enum(['confirmed', 'late']),
  costMinor: z.int().min(0),
});
export type SpentBudget = z.output<typeof SpentBudget>;

/**
 * What Redis keeps on disk. `rewritten`: without the customer, by every server and replica; `none`: nothing is kept; `refused`: a
 * server does not let its clients ask for it; `replicasNotAsked`: by every server, but a replica could not be asked, or lags.
 */
const Compaction = z.enum(['rewritten', 'none', 'refused', 'replicasNotAsked']).meta({
  description:
    'rewritten: without the customer, by every server and replica; none: nothing is kept on disk; refused: a server does not let its clients ask for it; replicasNotAsked: by every server, but a replica could not be reached, lags or refused',
});
export type Compaction = z.output<typeof Compaction>;

const receiptShape = {
  receiptId: ReceiptId,
  /** HMAC-SHA256 of the customer's id under the shop's own secret (`<dataDir>/erasures/secret`), hexadecimal. */
  customerHash: z.string(),
  /** Of the guest's sessions that the customer was known in, likewise. Receipts written before these were kept have none. */
  sessionHashes: z.array(z.string()).optional(),
  requestedAt: z.iso.datetime(),
  /** Until then it is complete. */
  dueAt: z.iso.datetime(),
  completedAt: z.iso.datetime(),
  /** What was erased, by place: rows, entries, keys, lines. */
  erased: counts,
  /** Of offers' budgets, what stays spent: of the redemptions that the ledgers knew one by one (60 days). */
  spent: z.array(SpentBudget),
  /** The pass that looks everywhere again: what it found, which is nothing. */
  verification: z.object({ at: z.iso.datetime(), found: counts, total: z.literal(0) }),
  /** `true`: events came after the request, so that the id belongs to a new customer, of whom only those are known. */
  returned: z.boolean(),
  models: z.array(InfluencedModel),
  /** What the Redis of the records, and then that of the queue, keeps on disk. */
  persistence: z.array(Compaction),
};

export const ErasureReceipt = z
  .object({
    ...receiptShape,
    /** HMAC-SHA256 of the receipt's other fields as JSON, in this order, under the same secret. */
    signature: z.string(),
  })
  .meta({ id: 'ErasureReceipt' });
export type ErasureReceipt = z.output<typeof ErasureReceipt>;
export type UnsignedReceipt = Omit<ErasureReceipt, 'signature'>;

/** How far an erasure is; with the receipt when it is complete. */
export const ErasureStatus = z
  .object({
    receiptId: ReceiptId,
    state: ErasureState,
    requestedAt: z.iso.datetime(),
    dueAt: z.iso.datetime(),
    /** Of what has been done so far. */
    erased: counts,
    receipt: ErasureReceipt.optional(),
  })
  .meta({ id: 'Erasure' });
export type ErasureStatus = z.output<typeof ErasureStatus>;

/** What is kept on disk of an erasure that is under way: the ids go when nothing of them is found any more. */
export const PendingErasure = z.object({
  receiptId: ReceiptId,
  state: ErasureState,
  customerHash: z.string(),
  /** What happened until then is erased, milliseconds since 1970. */
  requestedAt: z.number(),
  /** Not to be looked at before. */
  lookAt: z.number(),
  erased: counts,
  spent: z.array(SpentBudget),
  /** null once nothing was found. */
  customerId: CustomerId.nullable(),
  /** The customer's, as far as they have been found. */
  sessionIds: z.array(SessionId),
  /** Of their subjects; they stay when the ids go. */
  sessionHashes: z.array(z.string()).default([]),
  decisionIds: z.array(z.string()),
  receipt: z.object(receiptShape).omit({ completedAt: true, persistence: true }).optional(),
});
export type PendingErasure = z.output<typeof PendingErasure>;
