/** JSON lines on stderr (stdout belongs to results). Log event names and ids of ours; never a payload of a customer's. */
import { destination, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

export function createLogger(level: string, name: string): Logger {
  // Synchronous: the last line before a crash is the one that is wanted.
  return pino(
    { name, level, timestamp: () => `,"time":"${new Date().toISOString()}"` },
    destination({ dest: 2, sync: true }),
  );
}
