import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that systems give to connections that go out, and to whoever asks for any (Linux from 32768, others from
 * 49152): between the answer and the start of who is to listen, and while it is away, no connection takes one of these.
 */
const lowest = 20_000;
const highest = 29_999;
/** Where as many are taken it is not for bad luck. */
const triesMax = 100;

/** By this process, or tried: who asks for several has several before the first is listened on. */
const answered = new Set<number>();

/** A port of this machine that nobody listens on now, never the same twice. `random` answers a number from [0, 1). */
export async function freePort(random: () => number = Math.random): Promise<number> {
  let cause: unknown;
  for (let tries = 0; tries < triesMax; tries++) {
    const port = lowest + Math.floor(random() * (highest - lowest + 1));
    if (answered.has(port)) continue;
    answered.add(port);
    try {
      await listenOnce(port);
      return port;
    } catch (err) {
      cause = err;
    }
  }
  throw new Error(
    `None of ${triesMax} ports from ${lowest} to ${highest} can be had on 127.0.0.1: leave some of them free.`,
    { cause },
  );
}

async function listenOnce(port: number): Promise<void> {
  const probe = createServer().listen(port, '127.0.0.1');
  await once(probe, 'listening');
  await new Promise((closed) => probe.close(closed));
}
