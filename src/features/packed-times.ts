/**
 * Times as few bytes. One event sets many times of a record, in its features, items and categories: each instant is held once,
 * in a table from the last event backwards, and told by its place there. Distances are in the largest unit that divides them all.
 */
import type { BinaryReader, BinaryWriter } from './binary.ts';

/** Milliseconds, seconds, minutes, days: a log has one of these, as a rule. */
const units = [1, 1000, 60_000, 86_400_000];

export class TimeWriter {
  readonly #lastAt: number;
  readonly #met = new Set<number>();
  readonly #places = new Map<number, number>();

  /** No time may be after `lastAt`. */
  constructor(lastAt: number) {
    this.#lastAt = lastAt;
  }

  /** To be told of every time before `writeTable`. */
  meet(at: number): void {
    this.#met.add(at);
  }

  writeTable(writer: BinaryWriter): void {
    const times = [...this.#met].sort((a, b) => b - a);
    let before = this.#lastAt;
    const gaps = times.map((at) => {
      const gap = before - at;
      before = at;
      return gap;
    });
    const unit = units.findLastIndex((ms) => gaps.every((gap) => gap % ms === 0));
    const ms = units[unit] ?? 1;
    writer.varint(times.length * units.length + Math.max(0, unit));
    for (const gap of gaps) writer.varint(gap / ms);
    for (const [place, at] of times.entries()) this.#places.set(at, place);
  }

  placeOf(at: number): number {
    const place = this.#places.get(at);
    if (place === undefined) throw new RangeError(`a time that was not met: ${at}`);
    return place;
  }
}

export class TimeReader {
  readonly #times: number[] = [];

  readTable(reader: BinaryReader, lastAt: number): void {
    const token = reader.varint();
    const ms = units[token % units.length] ?? 1;
    let at = lastAt;
    for (let n = Math.floor(token / units.length); n > 0; n--) {
      at -= reader.varint() * ms;
      this.#times.push(at);
    }
  }

  at(place: number): number {
    const at = this.#times[place];
    if (at === undefined) throw new RangeError('a time that is not in the table');
    return at;
  }
}
