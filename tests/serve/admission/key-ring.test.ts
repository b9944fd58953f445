import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { UsageError } from '../../../src/domain/errors.ts';
import { createApiKey } from '../../../src/infra/api-keys.ts';
import { openKeyRing } from '../../../src/serve/admission/key-ring.ts';
import { silentLog } from '../../support/redis.ts';

test('keys that cannot be read at the start are told of with the cure, not with a stack', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'nextbest-keys-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  await createApiKey(dataDir, { name: 'shop', scopes: ['read'], expiresAt: null }, Date.now());
  // Who runs the tests may read everything: what nobody can read as a file stands for what another user may not.
  const unreadable = join(dataDir, 'api-keys', '0123456789ab.json');
  await mkdir(unreadable);
  const refused = openKeyRing(dataDir, silentLog);
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(/cannot be read: .*chown/);
  await rm(unreadable, { recursive: true });
  const ring = await openKeyRing(dataDir, silentLog);
  onTestFinished(() => ring.stop());
  expect(ring.count(Date.now())).toBe(1);
});
