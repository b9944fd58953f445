import fc from 'fast-check';
import { expect, test } from 'vitest';
import { minuteOfDay } from '../../src/offers/local-time.ts';

const clock = (timeZone: string, instant: string) => {
  const minute = minuteOfDay(timeZone, Date.parse(instant));
  if (minute === undefined) return undefined;
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
};

test('in spring the clock leaves an hour out, in autumn it shows one twice', () => {
  expect(clock('Europe/Berlin', '2026-03-29T00:59:59Z')).toBe('01:59');
  expect(clock('Europe/Berlin', '2026-03-29T01:00:00Z')).toBe('03:00');
  expect(clock('Europe/Berlin', '2026-10-25T00:59:59Z')).toBe('02:59');
  expect(clock('Europe/Berlin', '2026-10-25T01:00:00Z')).toBe('02:00');
  expect(clock('America/New_York', '2026-11-01T05:59:00Z')).toBe('01:59');
  expect(clock('America/New_York', '2026-11-01T06:00:00Z')).toBe('01:00');
});

test('zones off the hour, and those that change by half of one', () => {
  expect(clock('Asia/Kathmandu', '2026-06-15T12:00:00Z')).toBe('17:45');
  expect(clock('America/St_Johns', '2026-06-15T12:00:00Z')).toBe('09:30');
  expect(clock('Australia/Lord_Howe', '2026-10-03T15:29:00Z')).toBe('01:59');
  expect(clock('Australia/Lord_Howe', '2026-10-03T15:30:00Z')).toBe('02:30');
});

test('a zone that this machine does not know has no time', () => {
  expect(minuteOfDay('Mars/Olympus', 0)).toBeUndefined();
  expect(minuteOfDay('Mars/Olympus', 0)).toBeUndefined();
});

test('in whatever order it is asked, the answer is that of the runtime', () => {
  const zones = [
    'UTC',
    'Europe/London',
    'America/Sao_Paulo',
    'Australia/Lord_Howe',
    'Pacific/Chatham',
    'Asia/Tehran',
  ];
  const formats = new Map(
    zones.map((timeZone) => [
      timeZone,
      new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' }),
    ]),
  );
  const instants = fc.date({ min: new Date('2015-01-01'), max: new Date('2035-01-01'), noInvalidDate: true });
  // Around an offset's change as well: instants of one draw lie close together.
  const minutes = fc.array(fc.integer({ min: -120, max: 120 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(fc.constantFrom(...zones), instants, minutes, (timeZone, around, offsets) => {
      for (const offset of offsets) {
        const at = around.getTime() + offset * 60_000;
        expect(clock(timeZone, new Date(at).toISOString())).toBe(formats.get(timeZone)?.format(at));
      }
    }),
    { numRuns: 2000 },
  );
});
