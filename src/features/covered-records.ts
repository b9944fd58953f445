/**
 * Records that the lake can make, or has made, anew: one takes the place of what is in Redis, or what is in Redis is let go, only where
 * the lake holds everything that it reflects.
 */
import { streamIdParts } from '../domain/stream-id.ts';
import { dayMs } from '../domain/time.ts';
import type { Keys } from '../infra/keys.ts';
import { bindInputs, inOrder } from '../infra/named-script.ts';
import type { Redis } from '../infra/redis.ts';
import { redisScript } from '../infra/redis-script.ts';
import { markGone } from './gone-customers.ts';
import type { CustomerRecord } from './record.ts';
import { encodeRecord, streamIdBytes, streamIdLua } from './record-codec.ts';
import { RECORD_SCHEMA } from './registry.ts';

/** How long records of another schema are kept: processes of the version before read them until they are replaced. */
export const otherSchemaTtlMs = 7 * dayMs;

export type CoveredRecords = {
  /**
   * Lets go of records that the lake can make again, which holds the event stream through the id `through`. Answers for each, as
   * `replaceCovered` does, whether it is gone.
   */
  letGo: (
    customerIds: readonly string[],
    through: string,
    otherSchemas?: readonly string[],
  ) => Promise<boolean[]>;
  /**
   * Writes records that reflect the whole lake, which holds the event stream through the id `through`. Answers for each
   * whether it was written: not where the record in Redis reflects a later event. The same customers' records of
   * `otherSchemas` are given `otherSchemaTtlMs` to live.
   */
  replaceCovered: (
    records: readonly { subjectId: string; record: CustomerRecord }[],
    through: string,
    otherSchemas?: readonly string[],
  ) => Promise<boolean[]>;
};

/** `throughMs`, `throughSequence`: of the stream id that the lake reaches. KEYS further: the same customer's records of other schemas. */
const coveredInputs = { keys: ['recordKey'], args: ['throughMs', 'throughSequence', 'othersMs'] } as const;

/** Lua: goes on where the lake covers the record. Another schema's that has a lifetime already keeps it. */
const coveredLua = `${bindInputs(coveredInputs)}
for i = 2, #KEYS do
  if redis.call('PTTL', KEYS[i]) == -1 then redis.call('PEXPIRE', KEYS[i], othersMs) end
end
local header = redis.call('GETRANGE', recordKey, 0, ${streamIdBytes - 1})
if #header == ${streamIdBytes} then
  ${streamIdLua('header')}
  local throughMs, throughSequence = tonumber(throughMs), tonumber(throughSequence)
  if ms > throughMs or (ms == throughMs and sequence > throughSequence) then return 0 end
end
`;

/** ARGV further: the new record. */
const replaceScript = redisScript(`${coveredLua}
redis.call('SET', recordKey, ARGV[firstOfRest])
return 1
`);

const letGoScript = redisScript(`${coveredLua}
redis.call('DEL', recordKey)
return 1
`);

export function createCoveredRecords(redis: Redis, keys: Keys): CoveredRecords {
  function inputsOf(
    subjectId: string,
    through: string,
    otherSchemas: readonly string[],
    ...rest: readonly Buffer[]
  ): [keys: string[], args: (string | number | Buffer)[]] {
    const [throughMs, throughSequence] = streamIdParts(through);
    const recordKey = keys.record(RECORD_SCHEMA, subjectId);
    const given = { recordKey, throughMs, throughSequence, othersMs: otherSchemaTtlMs };
    const inputs = inOrder(coveredInputs, given, rest);
    const others = otherSchemas.map((schema) => keys.record(schema, subjectId));
    return [[...inputs.keys, ...others], inputs.args];
  }

  return {
    async replaceCovered(records, through, otherSchemas = []) {
      const replies = await Promise.all(
        records.map(({ subjectId, record }) => {
          record.appliedThrough = through;
          return replaceScript(redis, ...inputsOf(subjectId, through, otherSchemas, encodeRecord(record)));
        }),
      );
      return replies.map((reply) => reply === 1);
    },

    async letGo(customerIds, through, otherSchemas = []) {
      // First the marks: whoever finds no record is to find one.
      await markGone(customerIds, { redis, keys });
      const replies = await Promise.all(
        customerIds.map((customerId) => letGoScript(redis, ...inputsOf(customerId, through, otherSchemas))),
      );
      return replies.map((reply) => reply === 1);
    },
  };
}
