/**
 * What an offer's budget holds of one reservation or redemption, as it stands in Redis under its id: `state period cost`, the
 * state as a letter. The scripts on budgets and whoever else reads or writes such a text have it from here.
 */

/**
 * reserved: may yet be redeemed. payable: likewise, and paid once its time is over, for it is paid when it is made. confirmed:
 * spent. unbudgeted: had, and counted apart from the budget.
 */
const LETTERS = { reserved: 'r', payable: 'p', confirmed: 'c', unbudgeted: 'u' } as const;

export type BudgetEntryState = keyof typeof LETTERS;

/** `period`: name of the period that it counts in. `costMinor`: whole minor units; reserved, the most that it can cost. */
export type BudgetEntry = { state: BudgetEntryState; period: string; costMinor: number };

export function letterOf(state: BudgetEntryState): string {
  return LETTERS[state];
}

export function writeBudgetEntry({ state, period, costMinor }: BudgetEntry): string {
  return `${LETTERS[state]} ${period} ${costMinor}`;
}

const states = new Map(Object.entries(LETTERS).map(([state, letter]) => [letter, state as BudgetEntryState]));

/** undefined: nothing, or no such text. */
export function parseBudgetEntry(text: string | null): BudgetEntry | undefined {
  const [, letter = '', period = '', cost] = /^([a-z]) (\S+) (\d+)$/.exec(text ?? '') ?? [];
  const state = states.get(letter as (typeof LETTERS)[BudgetEntryState]);
  return state && { state, period, costMinor: Number(cost) };
}

/** Reserved, and not yet spent. */
export function isOut({ state }: Pick<BudgetEntry, 'state'>): boolean {
  return state === 'reserved' || state === 'payable';
}

/**
 * Lua for a script's head: `parse(entry)` answers letter, period and cost, or nil; `written(letter, period, cost)` the text;
 * `isOut(letter)` what `isOut` does.
 */
export const budgetEntryLua = `
local RESERVED, PAYABLE, CONFIRMED, UNBUDGETED = '${LETTERS.reserved}', '${LETTERS.payable}', '${LETTERS.confirmed}', '${LETTERS.unbudgeted}'
local function parse(entry)
  local state, period, cost = string.match(entry or '', '^(%a) (%S+) (%d+)$')
  return state, period, tonumber(cost)
end
local function written(state, period, cost) return state .. ' ' .. period .. ' ' .. cost end
local function isOut(state) return state == RESERVED or state == PAYABLE end
`;
