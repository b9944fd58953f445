/**
 * Baskets as JSON: `{"user": [basket, basket, …], …}`, each basket a list of item ids (numbers or strings), oldest first.
 * Read piece by piece: a log of millions of baskets need not fit into one string.
 */
import { UsageError } from '../../domain/errors.ts';
import { readText } from './read-text.ts';

export type UserBaskets = { user: string; baskets: string[][] };

/** Some publishers put baskets of this alone around a user's own. */
const marker = '-1';

const shape = '{"user": [[item, item], [item]], …} is expected';

/**
 * User by user, in the order of the file. Markers and empty baskets are dropped; an item that is twice in a basket counts
 * once. UsageError with the line where the text is not of this shape.
 */
export async function* scanBaskets(path: string): AsyncGenerator<UserBaskets> {
  const tokenizer = new Tokenizer();
  const parser = new BasketParser(path);
  for await (const piece of readText(path))
    for (const token of tokenizer.tokensOf(piece)) {
      const complete = parser.accept(token, tokenizer.line);
      if (complete) yield complete;
    }
  if (tokenizer.rest !== '' || !parser.ended)
    throw new UsageError(`${path} ends in the middle of its JSON: it is cut off, or no JSON; ${shape}.`);
}

class BasketParser {
  ended = false;
  /** 1 within the object, 2 within a user's list, 3 within a basket. */
  #depth = 0;
  #user: string | undefined;
  #baskets: string[][] = [];
  #basket: string[] = [];
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** The user whose list this token ends. */
  accept(token: string, line: number): UserBaskets | undefined {
    const depth = this.#depth;
    const user = this.#user;
    if (this.ended) throw this.#fault(token, line);
    if (token === '{' && depth === 0) this.#depth = 1;
    else if (token === '}' && depth === 1 && user === undefined) this.ended = true;
    else if (token === '[' && depth === 1 && user !== undefined) this.#depth = 2;
    else if (token === '[' && depth === 2) this.#depth = 3;
    else if (token === ']' && depth === 3) this.#endBasket();
    else if (token === ']' && depth === 2 && user !== undefined) {
      const complete = { user, baskets: this.#baskets };
      this.#depth = 1;
      this.#user = undefined;
      this.#baskets = [];
      return complete;
    } else if (token.charCodeAt(0) === quote && depth === 1 && user === undefined) this.#user = textOf(token);
    else if (depth === 3 && isId(token)) this.#basket.push(textOf(token));
    else throw this.#fault(token, line);
    return undefined;
  }

  #endBasket(): void {
    const basket = this.#basket;
    const isMarker = basket.length === 1 && basket[0] === marker;
    if (basket.length > 0 && !isMarker) this.#baskets.push([...new Set(basket)]);
    this.#basket = [];
    this.#depth = 2;
  }

  #fault(token: string, line: number): UsageError {
    return new UsageError(
      `${this.#path}, line ${line}: ${JSON.stringify(token)} is not expected there; ${shape}.`,
    );
  }
}

const quote = 34;
const backslash = 92;
const lineFeed = 10;
const blanks = ' \t\r\n,:';
const brackets = '{}[]';

/** Brackets, strings (quotes and all) and bare words of JSON. Commas and colons are taken for blanks. */
class Tokenizer {
  /** Of the token that came last, from 1. */
  line = 1;
  /** What may be the beginning of a token that the next piece ends. */
  rest = '';

  *tokensOf(piece: string): Generator<string> {
    const text = this.rest + piece;
    let at = 0;
    for (;;) {
      while (at < text.length && blanks.includes(text.charAt(at)))
        if (text.charCodeAt(at++) === lineFeed) this.line++;
      const end = tokenEnd(text, at);
      if (end === undefined) break;
      yield text.slice(at, end);
      at = end;
    }
    this.rest = text.slice(at);
  }
}

/** Where the token that begins at `at` ends; undefined where that cannot be told from this piece. */
function tokenEnd(text: string, at: number): number | undefined {
  if (at >= text.length) return undefined;
  if (brackets.includes(text.charAt(at))) return at + 1;
  if (text.charCodeAt(at) === quote) {
    for (let end = at + 1; end < text.length; end++) {
      if (text.charCodeAt(end) === backslash) end++;
      else if (text.charCodeAt(end) === quote) return end + 1;
    }
    return undefined;
  }
  for (let end = at; end < text.length; end++)
    if (blanks.includes(text.charAt(end)) || brackets.includes(text.charAt(end))) return end;
  return undefined;
}

/** Strings and numbers are ids; `null` and brackets are none. */
function isId(token: string): boolean {
  return token.charCodeAt(0) === quote || !Number.isNaN(Number(token));
}

/** A string without its quotes and escapes; a number as it is written. */
function textOf(token: string): string {
  if (token.charCodeAt(0) !== quote) return token;
  return token.includes('\\') ? (JSON.parse(token) as string) : token.slice(1, -1);
}
