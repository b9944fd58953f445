import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { asAppError, problemOf } from '../../src/serve/problem.ts';

// A disk that is always full, where the system has one.
test.runIf(existsSync('/dev/full'))(
  'what could not be written down is told of as that, and may be sent again',
  async () => {
    const thrown: unknown = await writeFile('/dev/full', 'an erasure').then(
      () => undefined,
      (err: unknown) => err,
    );
    const error = asAppError(thrown);
    expect(problemOf(error, 'r')).toMatchObject({ status: 503, code: 'DISK_FULL' });
    expect(error.retryAfterSeconds).toBeGreaterThan(0);
    expect(error.message).toContain('ENOSPC');
  },
);
