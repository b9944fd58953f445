/**
 * How often something waits for Redis, one time after another. Commands are held until nothing more is asked, then go out
 * together, and are answered before more go: each such wave is a round trip, however fast or slow the machine is.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Redis } from 'ioredis';

/** Turns of the event loop in which nothing was asked: whoever works on is done then. Auto-pipelining takes one. */
const quietTurns = 10;

type Send = Redis['sendCommand'];

/** The commands of each round trip. Nothing else may use this client meanwhile. */
export async function roundTrips(redis: Redis, work: () => Promise<unknown>): Promise<string[][]> {
  const send: Send = redis.sendCommand;
  let held: Parameters<Send>[] = [];
  redis.sendCommand = ((...args: Parameters<Send>) => {
    held.push(args);
    return args[0].promise;
  }) as Send;
  const waves: string[][] = [];
  let isDone = false;
  const done = work().finally(() => {
    isDone = true;
  });
  try {
    let quiet = 0;
    while (!isDone || held.length > 0) {
      await nextTurn();
      quiet++;
      if (held.length === 0 || quiet < quietTurns) continue;
      const wave = held;
      held = [];
      // What is sent at the end, and nobody waits for, is no round trip.
      if (!isDone) waves.push(wave.map(([command]) => command.name));
      for (const args of wave) send.apply(redis, args);
      await Promise.allSettled(wave.map(([command]) => command.promise));
      quiet = 0;
    }
    await done;
  } finally {
    redis.sendCommand = send;
  }
  return waves;
}
