/** This process's word of the decision policy that it decides by, said again and again, and a warning where others decide by another. */
import { createPolicyWatch, type PolicyWatch, policyBeatMs } from '../decide/policy-watch.ts';
import type { Keys } from '../infra/keys.ts';
import type { Logger } from '../infra/logger.ts';
import type { Redis } from '../infra/redis.ts';

export type PolicyBeat = Pick<PolicyWatch, 'inForce'> & {
  /** Says it once. Redis may be away: then that is logged. */
  beat: () => Promise<void>;
  /** Says it from now on; ended by what it answers. */
  start: () => () => void;
};

export function createPolicyBeat(
  own: string,
  { redis, keys, log, now }: { redis: Redis; keys: Keys; log: Logger; now: () => number },
): PolicyBeat {
  const watch = createPolicyWatch(own, {
    redis,
    keys,
    now,
    onOther: (other) =>
      log.warn(
        { event: 'policy.differs', own, other },
        'another process decides by another decision policy: restart those that read the file before it was changed',
      ),
  });
  const beat = () =>
    watch.beat().catch((err: unknown) => log.warn({ event: 'policy.unsaid', err }, 'no word of policies'));
  return {
    inForce: watch.inForce,
    beat,
    start() {
      const beating = setInterval(() => void beat(), policyBeatMs).unref();
      return () => clearInterval(beating);
    },
  };
}
