/**
 * What zod says of a fault where a schema has no sentence of its own, as a sentence that follows the name of the field: what is wrong and
 * what would be right. To import this file is enough: it holds for all schemas of a process or thread, whose
 * entry imports it. No value is repeated, for it may be somebody's address.
 */
import { z } from 'zod';
import { unknownFieldsSentence } from './unknown-fields.ts';

type Issue = z.core.$ZodRawIssue;

z.config({ localeError: faultSentence });

function faultSentence(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return typeSentence(isOfWhole(issue.inst) ? 'int' : issue.expected, issue.input);
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of: '}${issue.values.map(valueText).join(', ')}`;
    case 'too_small':
      return `must ${boundSentence(issue.origin, issue.minimum, issue.exact ? 'exactly' : issue.inclusive === false ? 'above' : 'least')}`;
    case 'too_big':
      return `must ${boundSentence(issue.origin, issue.maximum, issue.exact ? 'exactly' : issue.inclusive === false ? 'below' : 'most')}`;
    case 'invalid_format':
      return formatSentence(issue);
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'unrecognized_keys':
      return unknownFieldsSentence(issue.keys, fieldsOf(issue.inst));
    case 'invalid_union':
      return unionSentence(issue);
    case 'invalid_key':
      return 'has a name that is not allowed';
    case 'invalid_element':
      return 'has an entry that is not valid';
    default:
      return 'is not valid';
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
  undefined: 'left out',
  never: 'left out',
};

/** What a value of a type of zod's is to whoever sends it. */
export function typeName(expected: string): string {
  return TYPES[expected] ?? expected;
}

function typeSentence(expected: string, input: unknown): string {
  const wanted = `must be ${typeName(expected)}`;
  if (input === undefined) return `is missing: it ${wanted}`;
  // A flag that is no number comes as NaN.
  const isPlain = expected === 'never' || expected === 'undefined' || Number.isNaN(input);
  return isPlain ? wanted : `${wanted}, not ${kindOf(input, expected)}`;
}

function kindOf(input: unknown, expected: string): string {
  if (input === null) return 'null';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'number')
    return Number.isFinite(input) ? (expected === 'int' ? 'a fraction' : 'a number') : String(input);
  return TYPES[typeof input] ?? typeof input;
}

/** zod tells only of a fraction that a whole number is expected. */
function isOfWhole(inst: Issue['inst']): boolean {
  const { format } = { format: '', ...inst?._zod.def };
  return format === 'safeint';
}

/** Of a schema of objects, the names; none of any other. */
function fieldsOf(inst: Issue['inst']): string[] {
  return inst instanceof z.ZodObject ? Object.keys(inst.shape) : [];
}

type Bound = 'least' | 'most' | 'above' | 'below' | 'exactly';

/** What comes after `must`. */
function boundSentence(origin: string, limit: number | bigint, bound: Bound): string {
  const unit = UNITS[origin];
  if (unit === undefined) {
    if (bound === 'exactly') return `be ${limit}`;
    return bound === 'least' || bound === 'most' ? `be at ${bound} ${limit}` : `be ${bound} ${limit}`;
  }
  if (bound === 'least' && Number(limit) === 1) return 'not be empty';
  const many = `${limit} ${Number(limit) === 1 ? unit.one : unit.many}`;
  if (bound === 'exactly') return `have ${many}`;
  if (bound === 'above') return `have more than ${many}`;
  if (bound === 'below') return `have fewer than ${many}`;
  return `have at ${bound} ${many}`;
}

/** Of what is counted; all else is compared itself. */
const UNITS: Readonly<Record<string, { one: string; many: string }>> = {
  string: { one: 'character', many: 'characters' },
  array: { one: 'entry', many: 'entries' },
  set: { one: 'entry', many: 'entries' },
  map: { one: 'entry', many: 'entries' },
  record: { one: 'entry', many: 'entries' },
  object: { one: 'entry', many: 'entries' },
};

const FORMATS: Readonly<Record<string, string>> = {
  datetime: 'a time such as 2026-11-23T10:00:00Z (ISO 8601, with a zone)',
  date: 'a day such as 2026-11-23',
  time: 'a time of day such as 10:00:00',
  duration: 'a duration such as P7D (ISO 8601)',
  url: 'an address such as https://shop.example/path',
  email: 'an e-mail address',
  uuid: 'a UUID',
  json_string: 'JSON',
};

function formatSentence(issue: Extract<Issue, { code: 'invalid_format' }>): string {
  if (issue.format === 'starts_with') return `must begin with "${issue.prefix}"`;
  if (issue.format === 'ends_with') return `must end with "${issue.suffix}"`;
  if (issue.format === 'includes') return `must contain "${issue.includes}"`;
  const known = FORMATS[issue.format];
  if (known !== undefined) return `must be ${known}`;
  return issue.pattern === undefined
    ? `must be of the form ${issue.format}`
    : `must match the pattern ${issue.pattern}`;
}

function unionSentence(issue: Extract<Issue, { code: 'invalid_union' }>): string {
  if (Array.isArray(issue.options)) return `must be one of: ${issue.options.map(valueText).join(', ')}`;
  return issue.inclusive === false
    ? 'fits several of the forms that are allowed, and must fit one'
    : 'fits none of the forms that are allowed';
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : String(value);
}
