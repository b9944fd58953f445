/**
 * Spans between two times, whole milliseconds with their sign, as varints: in the largest unit that divides them, for most that a shop
 * decides on are whole days. token = 2 · (count · units + unit) + (1 if it is negative)
 */
import type { BinaryReader, BinaryWriter } from '../features/binary.ts';

/** Milliseconds, seconds, days. */
const units = [1, 1000, 86_400_000];

export function writeSpan(writer: BinaryWriter, ms: number): void {
  const size = Math.abs(ms);
  const unit = units.findLastIndex((one) => size % one === 0);
  const count = size / (units[unit] ?? 1);
  writer.varint(2 * (count * units.length + unit) + (ms < 0 ? 1 : 0));
}

export function readSpan(reader: BinaryReader): number {
  const token = reader.varint();
  const rest = Math.floor(token / 2);
  const size = Math.floor(rest / units.length) * (units[rest % units.length] ?? 1);
  return token % 2 === 1 ? -size : size;
}

/**
 * Lua: `packedSpan(ms)` and `packedVarint(value)`, as texts, for what only a script knows. The span is always in milliseconds, which is as good:
 * one that the server's clock makes is hardly ever a round number.
 */
export const packedSpanLua = `
local function packedVarint(value)
  local bytes = ''
  while value >= 128 do
    bytes = bytes .. string.char(value % 128 + 128)
    value = math.floor(value / 128)
  end
  return bytes .. string.char(value)
end
local function packedSpan(ms)
  return packedVarint(${2 * units.length} * math.abs(ms) + (ms < 0 and 1 or 0))
end
`;
