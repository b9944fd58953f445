/** API keys: who may call the service, and for what. */
import { z } from 'zod';

/**
 * What a key may be good for; none contains another. `read`: recommendations, profiles, figures. `events`: tell what
 * happened. `decide`: offers for customers. `manage`: change catalogue, offers and customers. `admin`: jobs, models,
 * dead letters, everything held of a customer.
 */
export const SCOPES = ['read', 'events', 'decide', 'manage', 'admin'] as const;
export const Scope = z.enum(SCOPES);
export type Scope = z.output<typeof Scope>;

const ApiKeyId = z.string().regex(/^[0-9a-f]{12}$/, 'must be the twelve characters after nb_');

/** What is kept of a key: never the key itself. Times are ISO 8601. */
export const ApiKey = z.strictObject({
  keyId: ApiKeyId,
  /** For people: which program uses it. */
  name: z.string().regex(/^[\w .:-]{1,64}$/, 'must be 1 to 64 letters, digits, spaces and . : _ -'),
  scopes: z.array(Scope).min(1, 'must hold a scope'),
  /** SHA-256 of the key's text, hexadecimal. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  createdAt: z.iso.datetime(),
  /** null: never. */
  expiresAt: z.iso.datetime().nullable(),
});
export type ApiKey = z.output<typeof ApiKey>;

const KEY_TEXT = /^nb_([0-9a-f]{12})_[A-Za-z0-9_-]{43}$/;

/** `nb_`, the id, and a secret of 32 bytes in base64url: programs that look for leaked secrets can know it by its form. */
export function keyText(keyId: string, secret: Buffer): string {
  return `nb_${keyId}_${secret.toString('base64url')}`;
}

/** The id within a key's text; undefined for what has not the form of a key. */
export function keyIdOf(text: string): string | undefined {
  return KEY_TEXT.exec(text)?.[1];
}
