/** Sends a service one strange request after the other, and tells what it should not have answered. */
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '../../../serve/problem.ts';
import { type FairClock, fairClock } from '../process-usage.ts';
import { createFuzz, type Document, type FuzzOptions, type FuzzRequest } from './requests.ts';

export type FuzzFinding = {
  /** Which request it was: the same seed and number make it again. */
  n: number;
  call: string;
  method: string;
  path: string;
  status: number | undefined;
  fault: string;
};

export type FuzzReport = {
  requests: number;
  /** Answers by status. */
  statuses: Record<string, number>;
  /** Calls of the document that were made, and those that were answered with success at least once. */
  calls: number;
  callsAnswered: number;
  p99Ms: number;
  slowestMs: number;
  /** Of all the time, how long the service was ready to run and had no CPU. */
  starvedSeconds: number;
  /** The first of each status; `faults` is how many there were. */
  findings: FuzzFinding[];
  faults: number;
};

export type FuzzServiceOptions = FuzzOptions & {
  url: string;
  /** Of the service. */
  pid: number;
  requests: number;
  connections: number;
  onProgress?: (done: number) => void | Promise<void>;
};

/** Of the time in which the service could run: a machine that is busy with other things makes any answer slow. */
const hangMs = 20_000;
/** Of each status, so that many of one kind do not hide another. */
const findingsKept = 10;
/** Requests between two calls of `onProgress`. */
const progressEvery = 1000;

type Answered = { status: number; type: string; requestId: string | undefined; text: string };

export async function fuzzService(options: FuzzServiceOptions): Promise<FuzzReport> {
  const { url, pid, requests, connections, onProgress } = options;
  const described = await fetch(`${url}/openapi.json`);
  const document = (await described.json()) as Document;
  const requestAt = createFuzz(document, options);
  const statuses: Record<string, number> = {};
  const calls = new Set<string>();
  const answered = new Set<string>();
  const timesMs: number[] = [];
  const findings: FuzzFinding[] = [];
  let faults = 0;
  let next = 0;
  const clock = fairClock(pid);

  async function client(): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let n = next++; n < requests; n = next++) {
      const asked = requestAt(n);
      calls.add(asked.call);
      const startedAt = performance.now();
      const answer = await send(url, asked, agent, clock).catch((err: Error) => err);
      timesMs.push(performance.now() - startedAt);
      const status = answer instanceof Error ? undefined : answer.status;
      statuses[status ?? 'none'] = (statuses[status ?? 'none'] ?? 0) + 1;
      if (status !== undefined && status < 400) answered.add(asked.call);
      const fault = answer instanceof Error ? answer.message : faultOf(asked, answer);
      if (fault !== undefined) {
        faults++;
        const { call, method, path } = asked;
        const alike = findings.filter((found) => found.status === status).length;
        if (alike < findingsKept) findings.push({ n, call, method, path: path.slice(0, 300), status, fault });
      }
      if ((n + 1) % progressEvery === 0) await onProgress?.(n + 1);
    }
    agent.destroy();
  }
  await Promise.all(Array.from({ length: connections }, client));
  await breakOff(url);
  const left = await inFlightAtRest(options, clock);
  if (left !== 0) {
    faults++;
    const asked = { n: requests, call: 'GET /metrics', method: 'GET', path: '/metrics' };
    findings.push({
      ...asked,
      status: undefined,
      fault: `${left} requests in flight when nobody asks any more`,
    });
  }
  clock.stop();
  timesMs.sort((a, b) => a - b);
  return {
    requests,
    statuses,
    calls: calls.size,
    callsAnswered: answered.size,
    p99Ms: timesMs[Math.floor(0.99 * timesMs.length)] ?? 0,
    slowestMs: timesMs.at(-1) ?? 0,
    starvedSeconds: clock.starvedMs() / 1000,
    findings,
    faults,
  };
}

const brokenOff = 300;

/** Asks many times over one connection, and is gone before most of it is answered. */
async function breakOff(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  // Cut off by the service: that is its right.
  socket.on('error', () => {});
  socket.write('GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(brokenOff), () => socket.destroy());
  await new Promise((resolve) => socket.once('close', resolve));
}

/** Those that the service says it still answers, but for the one that asks: waits for them as for any answer. */
async function inFlightAtRest({ url, headers }: FuzzServiceOptions, clock: FairClock): Promise<number> {
  const givenUpAt = clock.now() + hangMs;
  for (;;) {
    const metrics = await (await fetch(`${url}/metrics`, { headers: headers ?? {} })).text();
    const left = Number(/^nextbest_serve_requests_in_flight (\d+)$/m.exec(metrics)?.[1]) - 1;
    if (left === 0 || clock.now() > givenUpAt) return left;
    await sleep(100);
  }
}

/** What is wrong with an answer, whatever was asked. */
function faultOf({ method }: FuzzRequest, { status, type, requestId, text }: Answered): string | undefined {
  if (status >= 500) return `answered ${status}: ${text.slice(0, 300)}`;
  if (status < 400) {
    if (!type.startsWith('application/json') || method === 'HEAD' || status === 204) return undefined;
    return isJson(text) ? undefined : 'an answer that says it is JSON, and is not';
  }
  if (!type.startsWith('application/problem+json')) return `a refusal of the type "${type}"`;
  if (method === 'HEAD') return undefined;
  const problem = isJson(text) ? Problem.strict().safeParse(JSON.parse(text)) : undefined;
  if (problem?.success !== true) return `a refusal that is no problem: ${text.slice(0, 300)}`;
  if (problem.data.status !== status) return `a problem of the status ${problem.data.status}`;
  if (problem.data.requestId !== requestId) return 'a problem whose requestId is not the header';
  return /\n\s+at |node_modules|\.ts:\d|\.js:\d/.test(text) ? 'a refusal that shows the inside' : undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Rejects where no whole answer comes. */
function send(
  url: string,
  { method, path, headers, withoutHost, body }: FuzzRequest,
  agent: Agent,
  clock: FairClock,
): Promise<Answered> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let answer: IncomingMessage | undefined;
    const length = body === undefined ? {} : { 'content-length': String(body.length) };
    const sent = request(
      { hostname, port, method, path, headers: { ...headers, ...length }, setHost: !withoutHost, agent },
      (res) => {
        answer = res;
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('end', () => {
          clearTimeout(hang);
          const requestId = res.headers['x-request-id'];
          resolve({
            status: res.statusCode ?? 0,
            type: res.headers['content-type'] ?? '',
            requestId: typeof requestId === 'string' ? requestId : undefined,
            text: Buffer.concat(chunks).toString(),
          });
        });
        res.on('error', reject);
        // Does nothing where it has ended.
        res.on('close', () => reject(new Error('the answer broke off')));
      },
    );
    const givenUpAt = clock.now() + hangMs;
    const look = () => {
      const leftMs = givenUpAt - clock.now();
      if (leftMs <= 0)
        sent.destroy(new Error(`no answer within ${hangMs / 1000} s of the service's own time`));
      else hang = setTimeout(look, leftMs);
    };
    let hang = setTimeout(look, hangMs);
    sent.on('error', (err) => {
      clearTimeout(hang);
      // Whose answer came before the whole body was taken, and then the end of the connection: it has its answer.
      if (answer === undefined) reject(err);
    });
    sent.end(body);
  });
}
