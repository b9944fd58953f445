/**
 * Decisions on offers, asked for by callers that wait for their answer, or at an even rate that waits for nothing, in a process of
 * its own: `node overload-load.js JSON` reads an `OverloadLoad` and prints an `OverloadAnswers`.
 */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { callEvenly, quantile } from './even-rate.ts';

export type OverloadLoad = {
  url: string;
  /** At most; what is due while all of them are taken waits for one, and its time counts. */
  connections: number;
  seconds: number;
  /** Requests a second; absent: each connection asks again when it is answered. */
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
  /** Of what was accepted, from the instant when it was due to the answer. */
  p50Ms: number;
  p99Ms: number;
  /** Of refusals. */
  refusedP99Ms: number;
  /** How late requests were sent: the load tool's own want of CPU, which is in all the times above. */
  sentLateP99Ms: number;
};

const timeoutMs = 30_000;

const [text] = process.argv.slice(2);
if (text !== undefined)
  process.stdout.write(`${JSON.stringify(await run(JSON.parse(text) as OverloadLoad))}\n`);

async function run({ url, connections, seconds, rate, customers }: OverloadLoad): Promise<OverloadAnswers> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections });
  const accepted: number[] = [];
  const refused: number[] = [];
  const late: number[] = [];
  let errors = 0;
  let asked = 0;
  // A connection that is made first costs both sides more than a request: those that callers keep are open before.
  await Promise.all(Array.from({ length: connections }, () => answerOf('GET', `${url}/livez`, agent)));
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;

  async function ask(dueAt: number): Promise<void> {
    late.push(performance.now() - dueAt);
    const body = JSON.stringify({ customerId: `c${asked++ % customers}`, channel: 'web' });
    const status = await answerOf('POST', `${url}/offers/decide`, agent, body).catch(() => undefined);
    const tookMs = performance.now() - dueAt;
    if (status === 200) accepted.push(tookMs);
    else if (status === 503) refused.push(tookMs);
    else errors++;
  }

  async function caller(): Promise<void> {
    while (performance.now() < endsAt) await ask(performance.now());
  }

  await (rate === undefined
    ? Promise.all(Array.from({ length: connections }, caller))
    : callEvenly(rate, (now) => now >= endsAt, ask));
  agent.destroy();
  return {
    seconds,
    accepted: accepted.length,
    refused: refused.length,
    errors,
    p50Ms: quantile(accepted, 0.5),
    p99Ms: quantile(accepted, 0.99),
    refusedP99Ms: quantile(refused, 0.99),
    sentLateP99Ms: quantile(late, 0.99),
  };
}

/** The status of the answer, once all of it is there; a 503 that does not say when to try again is none that was promised. */
async function answerOf(method: string, url: string, agent: Agent, body = ''): Promise<number | undefined> {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const sent = request(url, { method, agent, headers, timeout: timeoutMs });
  sent.once('timeout', () => sent.destroy(new Error('no answer in time')));
  sent.end(body);
  const [answer] = await once(sent, 'response');
  answer.resume();
  await once(answer, 'end');
  return answer.statusCode === 503 && answer.headers['retry-after'] === undefined
    ? undefined
    : answer.statusCode;
}
