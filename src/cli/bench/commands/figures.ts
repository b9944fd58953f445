/** How the measurements read their numbers, and print them. */
import { InvalidArgumentError } from 'commander';

export const major = (minor: number) => (minor / 100).toFixed(2);

export const count = new Intl.NumberFormat('en').format;

export function milliseconds(seconds: number): string {
  return (seconds * 1000).toFixed(2).padStart(10);
}

export function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1.');
  return Number(text);
}

export function numbers(text: string): number[] {
  const values = text.split(',').map(Number);
  if (!values.every((value) => Number.isInteger(value) && value >= 1 && value <= 1e9))
    throw new InvalidArgumentError('must be whole numbers such as 1e6,3e6.');
  return values;
}

export function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('must be a number from 0 to 1.');
  return value;
}
