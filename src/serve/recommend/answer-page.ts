/** Answers `GET /recommendations`: by the page that was shown before, else by the one prepared beside the record, else by one made anew. */
import { randomUUID } from 'node:crypto';
import type { ExperimentAssignment } from '../../domain/decision.ts';
import { AppError } from '../../domain/errors.ts';
import type { RecordBeside } from '../../features/record-store.ts';
import { guestSubject } from '../../features/subject.ts';
import type { TallySeries } from '../../infra/resolved-metrics.ts';
import { type PageSettings, untriedPage } from '../../offers/experiments.ts';
import type { Deps } from '../deps.ts';
import { JsonText } from '../route.ts';
import { createTurns } from '../turns.ts';
import type { Pages } from './open-pages.ts';
import type { RecommendationAnswer, RecommendationQuery } from './page-schema.ts';
import type { RecommendedItem } from './pool-item.ts';
import type { PreparedPage } from './prepared-page.ts';
import { type FoundPage, isKept } from './prepared-store.ts';
import type { Degradation, PageRequest, RecommendationRequest, Recommendations } from './recommender.ts';
import type { Scenario } from './scenarios.ts';
import type { ShownPage } from './shown-pages.ts';

/** Never fails for a customer who is unknown, nor for a store that is away: the answer says `degraded`. `search`: as it was sent. */
export function answerRecommendations(
  query: RecommendationQuery,
  search: string,
  deps: AnswerDeps,
): Promise<JsonText<RecommendationAnswer>> {
  const startedAt = performance.now();
  const { scenario: standIn, collaborativeModel, experiment, furtherExperiments } = tried(query, deps);
  const scenario = deps.scenarios.get(standIn);
  if (scenario === undefined) {
    throw new AppError('INTERNAL', {
      public: 'The fault is ours.',
      internal: 'a scenario that there is not got past the check of the request',
    });
  }
  const experiments = experiment === null ? none : [experiment, ...furtherExperiments];
  for (const { name, variant } of experiments)
    deps.metrics.experimentAnswers.inc({ experiment: name, variant });
  const pages = pagesBy(collaborativeModel, deps);
  const asked = { query, search, scenario, pages, experiments, startedAt };
  const shown = pages.shown.find(search, scenario, deps.now());
  const subjectIds = shown?.subjectIds ?? subjectsOf(query);
  const available = () => subjectIds.length > 0 || deps.store.reachable;
  if (shown === undefined) {
    const request = requestOf(query, scenario);
    return readSubjects(subjectIds, request, pages, deps).then((read) =>
      makeAnswer(asked, subjectIds, request, read, available(), deps),
    );
  }
  // Of a page that has been shown before, the record alone has to be read. Few steps lie between that and the answer: each
  // `await` costs what a look into the metrics does.
  return readSubjects(subjectIds, undefined, pages, deps).then((read) =>
    available() && isOfNow(shown, read)
      ? answerOf(asked, shown, 'shown', none, deps)
      : makeAnswer(asked, subjectIds, requestOf(query, scenario), read, available(), deps),
  );
}

/** A request, and what it is answered by. */
type Asked = {
  query: RecommendationQuery;
  search: string;
  scenario: Scenario;
  pages: Pages;
  experiments: readonly ExperimentAssignment[];
  startedAt: number;
};

type Read = FoundPage | RecordBeside | undefined;

/** Where no page that was shown before holds any more. */
async function makeAnswer(
  asked: Asked,
  subjectIds: readonly string[],
  request: RecommendationRequest,
  read: readonly Read[],
  available: boolean,
  deps: AnswerDeps,
): Promise<JsonText<RecommendationAnswer>> {
  const found = read.map((one, at) =>
    one !== undefined && 'beside' in one
      ? asked.pages.prepared.beside(subjectIds[at] ?? '', request, one)
      : one,
  );
  if (found.every((one) => one?.page === undefined)) await making.next();
  const { page, from, degradedBy } = makePage(asked, request, subjectIds, found, available, deps);
  return answerOf(asked, page, from, degradedBy, deps);
}

const none: readonly never[] = [];

/** To make a page takes milliseconds: of this process's event loop, whoever asks. */
const making = createTurns();

function requestOf(query: RecommendationQuery, scenario: Scenario): RecommendationRequest {
  return {
    n: query.n,
    scenario,
    itemIds: query.itemId,
    category: query.category,
    exclude: query.exclude.length === 0 ? nothing : new Set<string>(query.exclude),
    seed: `${query.scenario} ${query.customerId ?? query.sessionId ?? ''}`,
  };
}

/** Writes it, and counts it. */
function answerOf(
  { query: { scenario }, experiments, startedAt }: Asked,
  page: ShownPage,
  from: 'shown' | 'prepared' | 'made',
  degradedBy: readonly Degradation[],
  { metrics }: Pick<Deps, 'metrics'>,
): JsonText<RecommendationAnswer> {
  const degraded = degradedBy.length > 0;
  metrics.recommendations.add(scenario, degraded ? 'true' : 'false');
  metrics.pages.add(from);
  for (const { of, times } of page.counted) of.count += times;
  const tookMs = Math.round((performance.now() - startedAt) * 100) / 100;
  const head = `{"recommendationId":"${randomUUID()}","items":`;
  const tail =
    `,"modelVersion":${page.modelVersion},"degraded":${degraded},` +
    `"degradedBy":${degraded ? JSON.stringify(degradedBy) : '[]'},` +
    `${experimentsText(experiments)},"tookMs":${tookMs}}`;
  const bytes = head.length + page.itemsBytes + Buffer.byteLength(tail);
  return new JsonText(head + page.items + tail, bytes);
}

function experimentsText([first, ...further]: readonly ExperimentAssignment[]): string {
  if (first === undefined) return '"experiment":null';
  const named = `"experiment":${JSON.stringify(first)}`;
  return further.length === 0 ? named : `${named},"furtherExperiments":${JSON.stringify(further)}`;
}

/** The items of an answer, and the rules that changed their places, each series once. */
function timesBySeries(
  items: readonly RecommendedItem[],
  { metrics }: Pick<Deps, 'metrics'>,
): ShownPage['counted'] {
  const times = new Map<TallySeries, number>();
  const count = (series: TallySeries) => times.set(series, (times.get(series) ?? 0) + 1);
  for (const { source, arranged } of items) {
    count(metrics.recommendedItems.of(source));
    for (const { rule } of arranged) count(metrics.arrangedItems.of(rule));
  }
  return [...times].map(([of, often]) => ({ of, times: often }));
}

type AnswerDeps = Pick<
  Deps,
  'records' | 'pages' | 'store' | 'itemsText' | 'scenarios' | 'experiments' | 'metrics' | 'now' | 'log'
>;

/** Were the records the same when it was made? */
function isOfNow({ stamps }: ShownPage, read: readonly Read[]): boolean {
  return stamps.every((stamp, at) => {
    const one = read[at];
    if (one === undefined) return false;
    return (typeof one.stamp === 'string' ? one.stamp : one.stamp?.toString('latin1')) === stamp;
  });
}

/** From the customer's record, or the session's where there is no such customer (or none is named); kept where nothing was away. */
function makePage(
  { query: { explain }, search, pages }: Asked,
  request: RecommendationRequest,
  subjectIds: readonly string[],
  found: readonly (FoundPage | undefined)[],
  available: boolean,
  deps: AnswerDeps,
): { page: ShownPage; from: 'prepared' | 'made'; degradedBy: Degradation[] } {
  const at = deps.now();
  const known = found.findIndex((one) => one?.stamp !== undefined);
  const subject = found[known];
  const { items, modelVersion, degradedBy, lasting, from } = recommend(
    request,
    subject && { ...subject, subjectId: subjectIds[known] ?? '' },
    at,
    pages,
  );
  const isRead = available && found.every((one) => one !== undefined);
  if (subject === undefined && !isRead) degradedBy.unshift('records-unavailable');
  const json = deps.itemsText(items, explain);
  const page: ShownPage = {
    subjectIds,
    stamps: found.map((one) => one?.stamp),
    scenario: request.scenario,
    items: json,
    itemsBytes: Buffer.byteLength(json),
    modelVersion: JSON.stringify(modelVersion),
    counted: timesBySeries(items, deps),
  };
  if (isRead && degradedBy.length === 0) {
    // Of a page that is made anew each time, any change of the catalogue may change the candidates.
    const isPrepared = subject !== undefined && isKept(request);
    pages.shown.keep(search, page, isPrepared ? lasting : { ...lasting, lookedAt: undefined }, at);
  }
  return { page, from, degradedBy };
}

/** By the id that was sent, known or not: Redis being away puts nobody into another variant. */
function tried(
  { customerId, sessionId, scenario }: RecommendationQuery,
  { experiments, now }: Pick<Deps, 'experiments' | 'now'>,
): PageSettings {
  const subjectId = customerId ?? (sessionId === undefined ? undefined : guestSubject(sessionId));
  if (subjectId === undefined) return untriedPage(scenario);
  return experiments.pageSettingsFor(subjectId, scenario, now());
}

/** Those of a version that an experiment tries, which were opened at the start; else those of the one that is served. */
function pagesBy(version: string | undefined, { pages: { served, tried } }: Pick<Deps, 'pages'>): Pages {
  return version === undefined ? served : (tried.get(version) ?? served);
}

function subjectsOf({ customerId, sessionId }: RecommendationQuery): string[] {
  const subjectIds: string[] = customerId === undefined ? [] : [customerId];
  if (sessionId !== undefined) subjectIds.push(guestSubject(sessionId));
  return subjectIds;
}

/** Of each, the page that `request` asks for beside the record, or the record alone. undefined: Redis is away. */
function readSubjects(
  subjectIds: readonly string[],
  request: PageRequest | undefined,
  { prepared }: Pages,
  { records, log }: Pick<Deps, 'records' | 'log'>,
): Promise<Read[]> {
  const [only] = subjectIds;
  const readOne = (subjectId: string): Promise<Read> =>
    request === undefined ? records.readBeside(subjectId) : prepared.find(subjectId, request);
  const unavailable = (err: unknown) => {
    log.debug({ event: 'record.unavailable', err }, 'a record could not be read');
    return undefined;
  };
  if (only !== undefined && subjectIds.length === 1)
    return readOne(only).then(aList, (err: unknown) => [unavailable(err)]);
  return Promise.all(subjectIds.map((subjectId) => readOne(subjectId).catch(unavailable)));
}

function aList<T>(one: T): T[] {
  return [one];
}

/** From the page that is ready, where there is one and it suffices; else made anew, and kept where it may be of use again. */
function recommend(
  request: RecommendationRequest,
  found: (FoundPage & { subjectId: string }) | undefined,
  at: number,
  { recommender }: Pages,
): Recommendations & { from: 'prepared' | 'made' } {
  const made = { from: 'made' as const };
  if (found === undefined) return { ...recommender.recommend(request, undefined, undefined, at), ...made };
  const suffices = (page: PreparedPage, shown: Recommendations) =>
    shown.items.length >= request.n || !page.isCut;
  if (found.page !== undefined) {
    const shown = recommender.show(found.page, request, at);
    if (suffices(found.page, shown)) return { ...shown, from: 'prepared' };
  }
  const record = found.record();
  if (isKept(request) && found.page === undefined) {
    const page = recommender.prepare({ ...request, exclude: nothing }, found.subjectId, record, at);
    // After the answer: wording what may never be shown takes as long as the answer.
    setImmediate(() => found.keep(page));
    const shown = recommender.show(page, request, at);
    if (suffices(page, shown)) return { ...shown, ...made };
  }
  return { ...recommender.recommend(request, found.subjectId, record, at), ...made };
}

const nothing: ReadonlySet<string> = new Set();
