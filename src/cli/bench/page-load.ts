/**
 * Pages that are asked for at an even rate, of several services in turn, in a process of its own: `node page-load.js JSON` reads a
 * `PageLoad`, asks until its standard input ends, and prints a `PageLoadResult`.
 */
import { Agent, request } from 'node:http';
import { callEvenly, quantile } from './even-rate.ts';

export type PageLoad = {
  /** Of the services. */
  urls: readonly string[];
  perSecond: number;
  /** `{id}` stands for the next customer. */
  path: string;
  customers: number;
  /**
   * Share of the pages whose customers have been asked about on the same service a little before; the others have not, as long
   * as there are any.
   */
  returning: number;
};

export type PageLoadResult = {
  requests: number;
  seconds: number;
  /** Answers other than 200, time-outs and broken connections. */
  errors: number;
  /** From the instant when a page was due to the end of its answer. */
  p50Ms: number;
  p99Ms: number;
};

const timeoutMs = 30_000;
/** A quarter of a second at the usual load: the page before has been answered, as a rule. */
const pagesBetween = 50;

/** Numbers of the customers to ask about, page after page, `services` being asked in turn. */
export function customersInTurn(
  customers: number,
  returning: number,
  services: number,
): (page: number) => number {
  const between = Math.ceil(pagesBetween / services) * services;
  const asked: number[] = [];
  let next = 0;
  return (page) => {
    const before = asked.length < between ? undefined : asked[page % between];
    const isReturn = Math.floor((page + 1) * returning) > Math.floor(page * returning);
    const customer = isReturn && before !== undefined ? before : next++ % customers;
    asked[page % between] = customer;
    return customer;
  };
}

const [text] = process.argv.slice(2);
if (text !== undefined) process.stdout.write(`${JSON.stringify(await run(JSON.parse(text) as PageLoad))}\n`);

async function run({ urls, perSecond, path, customers, returning }: PageLoad): Promise<PageLoadResult> {
  let ending = false;
  process.stdin.resume().once('end', () => {
    ending = true;
  });
  const agent = new Agent({ keepAlive: true });
  const times: number[] = [];
  const customerOf = customersInTurn(customers, returning, urls.length);
  let asked = 0;
  let errors = 0;
  const startedAt = performance.now();
  await callEvenly(
    perSecond,
    () => ending,
    async (dueAt) => {
      const n = asked++;
      const id = `copy-${String(customerOf(n)).padStart(8, '0')}`;
      const status = await statusOf(`${urls[n % urls.length]}${path.replace('{id}', id)}`, agent);
      if (status !== 200) errors++;
      times.push(performance.now() - dueAt);
    },
  );
  const seconds = (performance.now() - startedAt) / 1000;
  agent.destroy();
  return {
    requests: asked,
    seconds,
    errors,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
  };
}

/** Once the whole answer is there; undefined: none came. */
function statusOf(url: string, agent: Agent): Promise<number | undefined> {
  return new Promise((resolve) => {
    const sent = request(url, { agent, timeout: timeoutMs }, (answer) => {
      answer
        .resume()
        .once('end', () => resolve(answer.statusCode))
        .once('error', () => resolve(undefined));
    });
    sent.once('timeout', () => sent.destroy(new Error('no answer in time')));
    sent.once('error', () => resolve(undefined));
    sent.end();
  });
}
