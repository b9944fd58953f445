/** JSON lines on stderr (stdout belongs to results). Log event names and ids of ours; never a payload of a customer's. */
import { destination, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

export function createLogger(level: string, name: string): Logger {
  // Synchronous: the last line before a crash is the one that is wanted.
  return pino(
    {
      name,
      level,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      serializers: { err: withoutPayload },
    },
    destination({ dest: 2, sync: true }),
  );
}

/** pino would log every field of an error, and those of Redis carry the whole command: keys, ids and records of customers. */
function withoutPayload(err: unknown): unknown {
  if (!(err instanceof Error)) return String(err);
  const { name, message, stack, cause } = err;
  const code = 'code' in err ? err.code : undefined;
  // A reply of Redis may quote what it was sent.
  const quoteless = (text: string | undefined) => text?.replace(/, with args beginning with:.*/, '');
  return {
    type: name,
    message: quoteless(message),
    ...(code !== undefined && { code }),
    stack: quoteless(stack),
    ...(cause !== undefined && { cause: withoutPayload(cause) }),
  };
}
