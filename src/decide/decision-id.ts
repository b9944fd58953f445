/** Ids of decisions: UUIDs of version 7 (RFC 9562), which begin with the time, so that files are found by the id alone. */
import { randomUUID } from 'node:crypto';

/** `at` in milliseconds since 1970. */
export function newDecisionId(at: number): string {
  const time = at.toString(16).padStart(12, '0');
  // The random bits, and the variant, of one of version 4.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

/** The same for the same digest (hexadecimal, 32 digits at least): a decision that is made again is the same one. */
export function decisionIdOf(at: number, digest: string): string {
  const time = at.toString(16).padStart(12, '0');
  const variant = (8 + (Number.parseInt(digest.slice(3, 4), 16) % 4)).toString(16);
  const random = `7${digest.slice(0, 3)}-${variant}${digest.slice(4, 7)}-${digest.slice(7, 19)}`;
  return `${time.slice(0, 8)}-${time.slice(8)}-${random}`;
}
