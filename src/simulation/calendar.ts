/**
 * When people shop. Every customer's own rate runs on the shop's clock: an intensity per hour, whose running sum turns
 * "so much shopping later" into a time and makes any renewal process follow week, year, holidays and the hours of the
 * day (time change of a point process).
 */
import { dayMs, hourMs } from '../domain/time.ts';
import { type SimulationOptions, simulatedSpan } from './options.ts';

export const YEAR_DAYS = 365.25;

/** Shopping by weekday, Sunday first: mean 1. */
const WEEKDAYS = [1.2, 1.05, 0.9, 0.85, 0.9, 0.95, 1.15];
/** Shopping by hour of the day; nights are quiet, evenings are not. */
const HOURS = [
  0.2, 0.1, 0, 0, 0, 0.1, 0.3, 0.6, 0.9, 1.2, 1.4, 1.5, 1.5, 1.4, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 1.9, 1.6, 1,
  0.5,
];

export type Calendar = {
  startAt: number;
  endAt: number;
  /** The time at which `days` of mean shopping have passed since `from`; Infinity when that is past the end. */
  after(from: number, days: number): number;
  /** The time at which this share (0 to 1) of all the shopping of the span has passed. */
  atShare(share: number): number;
  /** `YYYY-MM-DDT` of each day of the span. */
  dateTexts: readonly string[];
  /** Month (0 = January) of each day. */
  months: Uint8Array;
  /** 1 on days of a sale. */
  sales: Uint8Array;
  /** Load of the shop's delivery on each day: its intensity, 1 on a mean day. */
  loads: Float64Array;
};

export function createCalendar(options: SimulationOptions): Calendar {
  const { startAt, endAt } = simulatedSpan(options);
  const { days } = options;
  const hourShare = HOURS.map((weight) => weight / HOURS.reduce((sum, w) => sum + w, 0));
  const weekdayMean = WEEKDAYS.reduce((sum, w) => sum + w, 0) / 7;
  const cumulative = new Float64Array(days * 24 + 1);
  const loads = new Float64Array(days);
  const months = new Uint8Array(days);
  const sales = new Uint8Array(days);
  const dateTexts: string[] = [];
  for (let day = 0; day < days; day++) {
    const date = new Date(startAt + day * dayMs);
    dateTexts.push(date.toISOString().slice(0, 11));
    months[day] = date.getUTCMonth();
    sales[day] = isSale(date) ? 1 : 0;
    const load = (WEEKDAYS[date.getUTCDay()]! / weekdayMean) * yearlyIntensity(date);
    loads[day] = load;
    for (let hour = 0; hour < 24; hour++) {
      const index = day * 24 + hour;
      cumulative[index + 1] = cumulative[index]! + load * hourShare[hour]!;
    }
  }
  const total = cumulative[days * 24]!;

  /** The time at which the running sum reaches `amount` (0 ≤ amount ≤ total). */
  function timeOf(amount: number): number {
    let low = 0;
    let high = days * 24 - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (cumulative[middle + 1]! > amount) high = middle;
      else low = middle + 1;
    }
    const width = cumulative[low + 1]! - cumulative[low]!;
    const within = width > 0 ? (amount - cumulative[low]!) / width : 0;
    return startAt + Math.floor((low + Math.min(within, 1)) * hourMs);
  }

  function amountAt(at: number): number {
    const hours = (at - startAt) / hourMs;
    const whole = Math.min(Math.floor(hours), days * 24 - 1);
    return cumulative[whole]! + (hours - whole) * (cumulative[whole + 1]! - cumulative[whole]!);
  }

  return {
    startAt,
    endAt,
    after(from, mean) {
      const amount = amountAt(from) + mean;
      return amount >= total ? Number.POSITIVE_INFINITY : timeOf(amount);
    },
    atShare: (share) => timeOf(share * total),
    dateTexts,
    months,
    sales,
    loads,
  };
}

/** Month and day as one number: 1101 is the first of November. */
function monthAndDay(date: Date): number {
  return (date.getUTCMonth() + 1) * 100 + date.getUTCDate();
}

/** More in winter than in summer, a peak from late November until shortly before Christmas, a lull after it. */
function yearlyIntensity(date: Date): number {
  const dayOfYear = (date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / dayMs;
  const swing = 1 + 0.1 * Math.cos((2 * Math.PI * (dayOfYear - 345)) / YEAR_DAYS);
  const at = monthAndDay(date);
  if (at >= 1120 && at <= 1220) return swing * 1.7;
  if (at >= 1224 || at <= 115) return swing * 0.75;
  return swing;
}

function isSale(date: Date): boolean {
  const at = monthAndDay(date);
  return (at >= 1122 && at <= 1130) || (at >= 103 && at <= 120) || (at >= 701 && at <= 714);
}
