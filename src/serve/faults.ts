/** zod's findings as faults: one for each thing that is wrong, with a path into the request and a sentence. */
import type { z } from 'zod';
import type { Fault } from '../domain/errors.ts';
import { typeName } from '../domain/fault-sentences.ts';
import { fieldsThereAre } from '../domain/unknown-fields.ts';

type Issue = z.core.$ZodIssue;

/** More are not listed: the sender has enough to correct, and the answer stays bounded. */
export const maxFaults = 200;

export type RequestPart = 'params' | 'query' | 'body';

/** `body.lines[0].quantity`, `query.n`; of what is no part of a request (`part` is ''), `benefit.percent`. */
export function faultsOf(error: z.ZodError, part: RequestPart | ''): Fault[] {
  return error.issues.flatMap((issue) => faultsOfIssue(issue, part));
}

export function boundedFaults(faults: readonly Fault[]): readonly Fault[] {
  if (faults.length <= maxFaults) return faults;
  return [
    ...faults.slice(0, maxFaults),
    { path: '', message: `and ${faults.length - maxFaults} more faults` },
  ];
}

/** A body may repeat the id of its path, not contradict it. */
export function idMismatch<K extends string>(
  name: K,
  params: { readonly [P in K]?: string },
  body: { readonly [P in K]?: string | undefined },
): Fault[] {
  const inPath = params[name];
  const inBody = body[name];
  if (inPath === undefined || inBody === undefined || inPath === inBody) return [];
  return [{ path: `body.${name}`, message: `must be the ${name} of the path, or be left out` }];
}

function faultsOfIssue(issue: Issue, prefix: string): Fault[] {
  const path = pathText(prefix, issue.path);
  if (issue.code === 'unrecognized_keys') {
    const message = `is not known here${fieldsThereAre(issue.message)}`;
    return issue.keys.map((key) => ({ path: pathText(path, [key]), message }));
  }
  if (issue.code === 'invalid_union') return faultsOfUnion(issue, path);
  return [{ path, message: issue.message }];
}

/**
 * A value that fits no branch of a union is judged by the branch that it resembles most: not one of another type
 * altogether; then the one whose faults lie deepest; then the one with the fewest.
 */
function faultsOfUnion(issue: Extract<Issue, { code: 'invalid_union' }>, path: string): Fault[] {
  const likely = issue.errors.filter((issues) => !issues.some(isOtherType));
  const [best] = likely.sort((a, b) => shallowest(b) - shallowest(a) || countOf(a) - countOf(b));
  if (best !== undefined) return best.flatMap((nested) => faultsOfIssue(nested, path));
  const expected = issue.errors.flat().flatMap((nested) => (isOtherType(nested) ? [nested.expected] : []));
  if (expected.length === 0) return [{ path, message: issue.message }];
  return [{ path, message: `must be ${[...new Set(expected.map(typeName))].join(' or ')}` }];
}

function isOtherType(issue: Issue): issue is Extract<Issue, { code: 'invalid_type' }> {
  return issue.code === 'invalid_type' && issue.path.length === 0;
}

function shallowest(issues: readonly Issue[]): number {
  return Math.min(...issues.map((issue) => issue.path.length));
}

/** Each unknown field is a fault of its own. */
function countOf(issues: readonly Issue[]): number {
  return issues.reduce(
    (count, issue) => count + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1),
    0,
  );
}

function pathText(prefix: string, path: readonly PropertyKey[]): string {
  let text = prefix;
  for (const step of path)
    text += typeof step === 'number' ? `[${step}]` : `${text === '' ? '' : '.'}${String(step)}`;
  return text;
}
