/** Waiting for what comes by itself, as long as it may take on a machine that has much else to do. */
import { vi } from 'vitest';

/** Answers what the check answers, once it throws no more; throws its last error shortly before the test's time is over. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 200_000, interval: 50 });
}
