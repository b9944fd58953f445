/**
 * Erasures on disk, which service and worker share; on disk, so that a Redis that is lost loses no request:
 *
 *   <dataDir>/erasures/secret              32 bytes, hexadecimal: what ids are hashed and receipts are signed with
 *   <dataDir>/erasures/pending/<id>.json   one that is under way; the only place where it names the customer
 *   <dataDir>/erasures/<id>.json           the receipt of one that is complete
 */
import { createHmac, randomBytes } from 'node:crypto';
import { link, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ErasureReceipt,
  type ErasureStatus,
  erasureDueMs,
  PendingErasure,
  ReceiptId,
  type UnsignedReceipt,
} from '../domain/erasure.ts';
import type { CustomerId } from '../domain/ids.ts';
import { ensureFolder, writeAtomically } from './files.ts';

/** Hashes an id, or an id and more. */
export type IdHash = (...parts: readonly string[]) => string;

export type ErasureFiles = {
  hash: IdHash;
  /** Puts a request down; safe on the disk when it resolves. */
  request: (customerId: CustomerId, now: number) => Promise<PendingErasure>;
  pending: () => Promise<PendingErasure[]>;
  update: (pending: PendingErasure) => Promise<void>;
  /** Writes the receipt, then forgets the request. */
  complete: (receipt: UnsignedReceipt) => Promise<void>;
  receipts: () => Promise<ErasureReceipt[]>;
  status: (receiptId: ReceiptId) => Promise<ErasureStatus | undefined>;
};

const folderOf = (dataDir: string) => join(dataDir, 'erasures');

/** Makes the secret where there is none. */
export async function openErasureFiles(dataDir: string): Promise<ErasureFiles> {
  const folder = folderOf(dataDir);
  const waiting = join(folder, 'pending');
  await ensureFolder(waiting, 'DATA_DIR', 0o700);
  const secret = await secretIn(folder);
  const hash: IdHash = (...parts) =>
    createHmac('sha256', secret).update(JSON.stringify(parts)).digest('hex').slice(0, 40);
  const put = (path: string, content: object) =>
    writeAtomically(path, (temporary) => writeFile(temporary, JSON.stringify(content), { mode: 0o600 }));
  const pendingPath = (receiptId: string) => join(waiting, `${ReceiptId.parse(receiptId)}.json`);
  const receiptPath = (receiptId: string) => join(folder, `${ReceiptId.parse(receiptId)}.json`);
  const sign = (receipt: UnsignedReceipt) =>
    createHmac('sha256', secret).update(JSON.stringify(receipt)).digest('hex');

  return {
    hash,
    async request(customerId, now) {
      const pending: PendingErasure = {
        receiptId: `erasure-${randomBytes(12).toString('hex')}` as ReceiptId,
        state: 'waiting',
        customerHash: hash(customerId),
        requestedAt: now,
        lookAt: now,
        erased: {},
        spent: [],
        customerId,
        sessionIds: [],
        sessionHashes: [],
        decisionIds: [],
      };
      await put(pendingPath(pending.receiptId), pending);
      return pending;
    },
    async pending() {
      const all: PendingErasure[] = [];
      for (const name of (await readdir(waiting)).sort()) {
        if (!name.endsWith('.json')) continue;
        const pending = await readJson(join(waiting, name));
        if (pending !== undefined) all.push(PendingErasure.parse(pending));
      }
      return all;
    },
    update: (pending) => put(pendingPath(pending.receiptId), pending),
    async complete(receipt) {
      await put(receiptPath(receipt.receiptId), { ...receipt, signature: sign(receipt) });
      await rm(pendingPath(receipt.receiptId), { force: true });
    },
    async receipts() {
      const all: ErasureReceipt[] = [];
      for (const name of await readdir(folder)) {
        if (!ReceiptId.safeParse(name.replace(/\.json$/, '')).success) continue;
        const receipt = await readJson(join(folder, name));
        if (receipt !== undefined) all.push(ErasureReceipt.parse(receipt));
      }
      return all;
    },
    async status(receiptId) {
      // The receipt first: it is there before the request goes.
      const done = await readJson(receiptPath(receiptId));
      if (done !== undefined) return statusOfReceipt(ErasureReceipt.parse(done));
      const pending = await readJson(pendingPath(receiptId));
      if (pending !== undefined) return statusOf(PendingErasure.parse(pending));
      const since = await readJson(receiptPath(receiptId));
      return since === undefined ? undefined : statusOfReceipt(ErasureReceipt.parse(since));
    },
  };
}

/** Hashes of subjects (the customer, and the sessions known to be the customer's) by when they were erased; the latest counts. */
export async function erasedUntil(
  files: Pick<ErasureFiles, 'receipts' | 'pending'>,
): Promise<Map<string, number>> {
  const until = new Map<string, number>();
  // Requests first: one that is completed meanwhile is among the receipts.
  const all = [...(await files.pending()), ...(await files.receipts())];
  for (const { customerHash, sessionHashes = [], requestedAt } of all)
    for (const hash of [customerHash, ...sessionHashes])
      until.set(hash, Math.max(new Date(requestedAt).getTime(), until.get(hash) ?? 0));
  return until;
}

export function dueAtOf(requestedAt: number): string {
  return new Date(requestedAt + erasureDueMs).toISOString();
}

export function statusOf({ receiptId, state, requestedAt, erased }: PendingErasure): ErasureStatus {
  const requested = new Date(requestedAt).toISOString();
  return { receiptId, state, requestedAt: requested, dueAt: dueAtOf(requestedAt), erased };
}

function statusOfReceipt(receipt: ErasureReceipt): ErasureStatus {
  const { receiptId, requestedAt, dueAt, erased } = receipt;
  return { receiptId, state: 'completed', requestedAt, dueAt, erased, receipt };
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((err: NodeJS.ErrnoException) => {
    if (err.code === 'ENOENT') return undefined;
    throw err;
  });
  return text === undefined ? undefined : JSON.parse(text);
}

/** Of two processes that make it at once, one does; it is there whole or not at all. */
async function secretIn(folder: string): Promise<string> {
  const path = join(folder, 'secret');
  const known = await readFile(path, 'utf8').catch(() => '');
  if (/^[0-9a-f]{64}$/.test(known)) return known;
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  await writeFile(temporary, randomBytes(32).toString('hex'), { mode: 0o600, flush: true });
  await link(temporary, path).catch((err: NodeJS.ErrnoException) => {
    if (err.code !== 'EEXIST') throw err;
  });
  await rm(temporary);
  return await readFile(path, 'utf8');
}
