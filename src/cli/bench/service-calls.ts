/**
 * JSON calls to several services, over connections that stay open. By `node:http`: `fetch` takes several times its CPU, which a
 * caller that shares the machine with what it measures takes from it.
 */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** Answers the body; rejects where the service refuses, unless for overload: then it has done nothing, and is asked again. */
export type ServiceCall = (service: number, method: string, path: string, body?: unknown) => Promise<unknown>;

const refusedMs = 50;
const timeoutMs = 30_000;

/** `urls`: of the services, by number. */
export function serviceCalls(
  urls: readonly string[],
  onRefused: () => void,
): { call: ServiceCall; close: () => void } {
  const agent = new Agent({ keepAlive: true });
  return {
    call: async (service, method, path, body) => {
      for (;;) {
        const text = body === undefined ? undefined : JSON.stringify(body);
        const answer = await answerOf(`${urls[service]}${path}`, method, text, agent);
        if (answer.status < 300) return JSON.parse(answer.text);
        if (JSON.parse(answer.text).code !== 'OVERLOADED')
          throw new Error(`${method} ${path} was answered ${answer.status}: ${answer.text.slice(0, 300)}`);
        onRefused();
        await sleep(refusedMs);
      }
    },
    close: () => agent.destroy(),
  };
}

function answerOf(
  url: string,
  method: string,
  body: string | undefined,
  agent: Agent,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers =
      body === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request(url, { agent, method, headers, timeout: timeoutMs }, (answer) => {
      const parts: Buffer[] = [];
      answer
        .on('data', (part: Buffer) => parts.push(part))
        .once('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString() }))
        .once('error', reject);
    });
    sent.once('timeout', () => sent.destroy(new Error(`${method} ${url} was not answered in time`)));
    sent.once('error', reject);
    sent.end(body);
  });
}
