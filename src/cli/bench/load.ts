/**
 * The load tool, in a process of its own so that its work is not taken for the server's: `node load.js` reads a `Load` as JSON
 * from its arguments and prints a `LoadResult`.
 */
import autocannon from 'autocannon';
import { quantile } from './even-rate.ts';

export type Load = {
  url: string;
  connections: number;
  seconds: number;
  /** Asks so many times and then ends, however long it takes. */
  amount?: number;
  /** Paths that are asked in turn, each connection beginning at another; `{id}` stands for the next of `ids`. */
  path: string;
  /** Customer numbers from `first`, each asked `times` in a row; absent: the path is asked as it is. */
  customers?: { first: number; count: number; times: number };
};

export type LoadResult = {
  requests: number;
  seconds: number;
  requestsPerSecond: number;
  /** Of the time of each answer, not of autocannon's own histogram: that counts in whole milliseconds. */
  p50Ms: number;
  p99Ms: number;
  /** Answers other than 200, time-outs and broken connections. */
  errors: number;
};

const [text] = process.argv.slice(2);
if (text !== undefined) {
  const load = JSON.parse(text) as Load;
  process.stdout.write(`${JSON.stringify(await run(load))}\n`);
}

async function run({ url, connections, seconds, amount, path, customers }: Load): Promise<LoadResult> {
  let asked = 0;
  const nextPath = () => {
    if (customers === undefined) return path;
    const n = customers.first + (Math.floor(asked++ / customers.times) % customers.count);
    return path.replace('{id}', `copy-${String(n).padStart(8, '0')}`);
  };
  const times: number[] = [];
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const running = autocannon(
      {
        url,
        connections,
        ...(amount === undefined ? { duration: seconds } : { amount }),
        requests: [
          customers === undefined
            ? { path }
            : { setupRequest: (request: autocannon.Request) => ({ ...request, path: nextPath() }) },
        ],
      },
      (err, done: autocannon.Result) => (err ? reject(err) : resolve(done)),
    );
    running.on('response', (_client, _status, _bytes, ms) => times.push(ms));
  });
  return {
    requests: result.requests.total,
    seconds: result.duration,
    requestsPerSecond: result.requests.total / result.duration,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    errors: result.errors + result.timeouts + result.non2xx,
  };
}
