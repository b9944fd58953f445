/**
 * Decisions on offers, asked for at a rate that does not wait for answers, in a process of its own: `node overload-load.js JSON`
 * reads an `OverloadLoad` and prints an `OverloadAnswers`.
 */
import autocannon from 'autocannon';

export type OverloadLoad = {
  url: string;
  connections: number;
  seconds: number;
  /** Requests a second over all connections; absent: as fast as they are answered. */
  rate?: number;
  customers: number;
};

export type OverloadAnswers = {
  seconds: number;
  accepted: number;
  /** Answered 503 with Retry-After. */
  refused: number;
  /** Anything else, time-outs and broken connections among them. */
  errors: number;
  /** Of what was accepted, from sending to the answer. */
  p50Ms: number;
  p99Ms: number;
  /** Of refusals. */
  refusedP99Ms: number;
};

const [text] = process.argv.slice(2);
if (text !== undefined)
  process.stdout.write(`${JSON.stringify(await run(JSON.parse(text) as OverloadLoad))}\n`);

async function run({ url, connections, seconds, rate, customers }: OverloadLoad): Promise<OverloadAnswers> {
  let asked = 0;
  const accepted: number[] = [];
  const refused: number[] = [];
  let others = 0;
  const options: autocannon.Options = {
    url,
    connections,
    duration: seconds,
    ...(rate !== undefined && { overallRate: rate }),
    setupClient: (client) => {
      client.on('response', (status, _bytes, responseTime) => {
        if (status === 200) accepted.push(responseTime);
        else if (status === 503) refused.push(responseTime);
        else others++;
      });
    },
    requests: [
      {
        setupRequest: (request) => ({
          ...request,
          method: 'POST',
          path: '/offers/decide',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ customerId: `c${asked++ % customers}`, channel: 'web' }),
        }),
      },
    ],
  };
  const result = await autocannon(options);
  return {
    seconds: result.duration,
    accepted: accepted.length,
    refused: refused.length,
    errors: others + result.errors + result.timeouts,
    p50Ms: quantile(accepted, 0.5),
    p99Ms: quantile(accepted, 0.99),
    refusedP99Ms: quantile(refused, 0.99),
  };
}

/** 0 of no values. */
function quantile(values: number[], q: number): number {
  values.sort((a, b) => a - b);
  return values[Math.floor(q * (values.length - 1))] ?? 0;
}
