/**
 * `nextbest bench fuzz`: a service of its own on a simulated shop is sent random and spoilt requests over every call of its OpenAPI
 * document. Whatever comes, it must answer: no 5xx, no silence, every refusal a problem, and its memory must not grow.
 */
import { SCOPES } from '../../domain/api-key.ts';
import { createApiKey } from '../../infra/api-keys.ts';
import { openBenchPlace } from './bench-place.ts';
import { type FuzzReport, fuzzService } from './fuzz/fuzz-service.ts';
import { fillRedis, prepareShop } from './prepared-shop.ts';
import { startServer } from './serve.ts';

export type FuzzBenchOptions = {
  requests: number;
  connections: number;
  seed: number;
  /** Keeps the simulated shop and its models; one that is there is used again. */
  folder?: string;
};

export type FuzzBenchLine = Omit<FuzzReport, 'findings'> & {
  name: 'fuzz';
  seed: number;
  /** Resident memory of the service after a fifth of the requests, when it is warm, and at the end. */
  warmMb: number;
  endMb: number;
};

const shop = { shop: 300, items: 60, seed: 1 };
/** Of the memory after a fifth of the requests: what caches and the collector's whims may add. */
const growthShare = 0.25;
/**
 * Sixteen callers that wait for their answers are no overload: where the machine has other things to do, it is what is slow, and
 * neither a bound on waiting nor Redis's patience is what is tried here. What never comes is found out as such.
 */
const patientMs = '60000';

/** Tells the report and what it found; throws as `holdFuzz` does. */
export async function benchFuzz(
  { requests, connections, seed, folder }: FuzzBenchOptions,
  onLine: (line: FuzzBenchLine, findings: FuzzReport['findings']) => void,
  say: (text: string) => void,
): Promise<void> {
  const place = await openBenchPlace(folder);
  const { root, folders, env, redis } = place;
  let stop = () => {};
  try {
    await prepareShop(root, env, shop, say);
    await fillRedis(redis, folders.DATA_DIR, { customers: shop.shop }, say);
    const { text } = await createApiKey(
      folders.DATA_DIR,
      { name: 'fuzz', scopes: SCOPES, expiresAt: null },
      Date.now(),
    );
    const unlimited = Object.fromEntries(SCOPES.map((scope) => [`RATE_LIMIT_${scope.toUpperCase()}`, '0']));
    const [child, url] = await startServer({
      ...env,
      ...unlimited,
      AUTH: 'keys',
      REDIS_TIMEOUT_MS: patientMs,
      MAX_LAG_MS: patientMs,
      MAX_WAIT_MS: patientMs,
      // No worker empties the stream: what is accepted stays in Redis.
      STREAM_MAX_LENGTH: '20000',
      LOG_LEVEL: 'error',
    });
    stop = () => child.kill('SIGKILL');
    const headers = { 'x-api-key': text };
    const residentMb = async () => {
      const metrics = await (await fetch(`${url}/metrics`, { headers })).text();
      return Number(/^process_resident_memory_bytes (\S+)/m.exec(metrics)?.[1]) / 2 ** 20;
    };
    let warmMb: number | undefined;
    const { findings, ...report } = await fuzzService({
      url,
      pid: child.pid ?? 0,
      requests,
      connections,
      seed,
      headers,
      pools: poolsOf(),
      onProgress: async (done) => {
        if (done >= requests / 5) warmMb ??= await residentMb();
        say(`${done} of ${requests}`);
      },
    });
    const endMb = await residentMb();
    const line: FuzzBenchLine = { name: 'fuzz', seed, ...report, warmMb: warmMb ?? endMb, endMb };
    onLine(line, findings);
    holdFuzz(line);
  } finally {
    stop();
    await place.close();
  }
}

/** Throws, naming what did not hold, where a request was answered with a fault or memory has grown; also where it could not be read. */
export function holdFuzz({
  seed,
  faults,
  warmMb,
  endMb,
}: Pick<FuzzBenchLine, 'seed' | 'faults' | 'warmMb' | 'endMb'>): void {
  const broken: string[] = [];
  if (faults > 0) broken.push(`${faults} requests were answered as none may be (the findings above)`);
  if (!(endMb <= warmMb * (1 + growthShare)))
    broken.push(
      `memory went from ${Math.round(warmMb)} MB when warm to ${Math.round(endMb)} MB, above the ${100 * growthShare} % that caches may add`,
    );
  if (broken.length > 0) throw new Error(`with --seed ${seed}: ${broken.join('; ')}`);
}

/** Names of what the shop and `fillRedis` have. */
function poolsOf() {
  const numbered = (prefix: string, digits: number) =>
    Array.from({ length: 20 }, (_, n) => `${prefix}${String(n + 1).padStart(digits, '0')}`);
  return {
    customerId: [...numbered('copy-', 8), ...numbered('c', 7), 'nobody'],
    sessionId: ['visit-1', 'visit-2'],
    itemId: numbered('i', 5),
    offerId: ['offer-000', 'offer-001', 'offer-002', 'offer-003', 'none'],
    name: ['collaborative', 'churn', 'customer-value'],
  };
}
