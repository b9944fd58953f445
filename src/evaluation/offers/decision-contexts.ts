/** What was known of a customer, as numbers: numeric columns as they are, texts as a column of 0 and 1 for each level. */
import type { DecisionLog, TextColumn } from './read-decisions.ts';

export type Contexts = {
  /** Names of the numbers, `column` or `column=level`. */
  names: string[];
  /** rows × names. */
  values: Float32Array;
  dropped: { column: string; reason: string }[];
};

/** A level must have this share of the rows, and this many, to have a number of its own; the others are one level. */
const levelShare = 0.005;
const levelRows = 20;
const levelsMax = 40;
/** Texts of more different values than this share of the rows are names, not kinds. */
const distinctShare = 0.5;

const idName = /(^|[_ -])(id|uuid|guid|key)$|Id$|^(index|row|rownum|unnamed.*|column0+)$/i;
const dateText = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?$/;
const epochName = /(time|date|stamp|_at|At)$/;

export function contextsOf(log: DecisionLog): Contexts {
  const names: string[] = [];
  const columns: Float32Array[] = [];
  const dropped: Contexts['dropped'] = [];
  for (const column of log.others) {
    const reason = reasonToDrop(column, log);
    if (reason !== undefined) {
      dropped.push({ column: column.name, reason });
      continue;
    }
    for (const [name, values] of isNumeric(column) ? numbersOf(column) : levelsOf(column)) {
      names.push(name);
      columns.push(values);
    }
  }
  const values = new Float32Array(log.rows * names.length);
  columns.forEach((column, c) => {
    for (let row = 0; row < log.rows; row++) values[row * names.length + c] = column[row]!;
  });
  return { names, values, dropped };
}

function reasonToDrop(column: TextColumn, log: DecisionLog): string | undefined {
  const { name, code, levels } = column;
  const holes = code.includes(-1);
  if (levels.length + (holes ? 1 : 0) < 2) return 'it is constant';
  if (levels.every((level) => dateText.test(level))) return 'it is a time';
  const numeric = isNumeric(column);
  const whole = numeric && levels.every((level) => Number.isInteger(Number(level)));
  if (whole && epochName.test(name) && levels.every((level) => Number(level) >= 1e8)) return 'it is a time';
  if (idName.test(name) && levels.length > Math.min(100, log.rows / 2)) return 'it is an id';
  if (whole && levels.length === log.rows && log.rows > 20) return 'it is different in every row';
  if (!numeric && levels.length > Math.max(levelsMax, distinctShare * log.rows))
    return 'it is different in almost every row';
  if (tellsArm(column, log)) return 'it says no more than which offer was chosen';
  return undefined;
}

/** Whether each value goes with one arm alone: the decision under another name. */
function tellsArm({ code, levels }: TextColumn, log: DecisionLog): boolean {
  if (levels.length > log.offers.length + 1) return false;
  const arm = new Map<number, number>();
  for (let row = 0; row < log.rows; row++) {
    const known = arm.get(code[row]!);
    if (known === undefined) arm.set(code[row]!, log.arm[row]!);
    else if (known !== log.arm[row]) return false;
  }
  return true;
}

function isNumeric({ levels }: TextColumn): boolean {
  return levels.length > 0 && levels.every((level) => Number.isFinite(numberOf(level)));
}

function numberOf(text: string): number {
  return text === 'true' ? 1 : text === 'false' ? 0 : Math.fround(Number(text));
}

/** Where it is empty, the median, and a column that says so. */
function numbersOf({ name, code, levels }: TextColumn): [string, Float32Array][] {
  const byLevel = levels.map(numberOf);
  const present = Float32Array.from(
    code.filter((own) => own >= 0),
    (own) => byLevel[own]!,
  ).sort();
  const median = present[Math.floor(present.length / 2)]!;
  const values = Float32Array.from(code, (own) => (own < 0 ? median : byLevel[own]!));
  if (!code.includes(-1)) return [[name, values]];
  return [
    [name, values],
    [`${name}=`, Float32Array.from(code, (own) => (own < 0 ? 1 : 0))],
  ];
}

/** A level each, those that are rare (and empty ones, where they are) together; of two levels one says it all. */
function levelsOf({ name, code, levels }: TextColumn): [string, Float32Array][] {
  const counts = new Int32Array(levels.length);
  for (const own of code) if (own >= 0) counts[own]!++;
  const least = Math.max(levelRows, levelShare * code.length);
  const common = levels
    .map((_, level) => level)
    .filter((level) => counts[level]! >= least)
    .sort((a, b) => counts[b]! - counts[a]! || a - b)
    .slice(0, levelsMax);
  const others = code.some((own) => !common.includes(own));
  const kept = others || common.length === 0 ? common : common.slice(0, common.length === 2 ? 1 : undefined);
  return kept.map((level) => [
    `${name}=${levels[level]!}`,
    Float32Array.from(code, (own) => (own === level ? 1 : 0)),
  ]);
}
