/** Experiments and what they have done, as text for a terminal. */
import type { Experiment } from '../domain/decision-policy.ts';
import { OUTCOMES, type Outcome } from '../insights/experiments/outcomes.ts';
import type { Difference, Readout } from '../insights/experiments/readout.ts';
import { aligned, count, moneyFormat, percent, points, withBounds } from './figures-table.ts';

const HEADINGS: Record<Outcome, string> = {
  repeatPurchaseRate: 'repeat',
  marginPerCustomerMinor: 'margin a customer',
  churnRate: 'churn',
  csat: 'CSAT',
  nps: 'NPS',
};

export function experimentLine({ name, from, to, share, variants }: Experiment, state: string): string {
  const sizes = variants.map((variant) => `${variant.name} ${variant.weight}`).join(', ');
  const until = to === undefined ? '' : ` to ${to}`;
  return `${name}: ${state}, from ${from}${until}, ${percent(share)} of the customers: ${sizes}`;
}

export function readoutTable(title: string, readout: Readout, currency: string): string {
  const { state, from, until, groups, differences, sampleRatio, warnings } = readout;
  const money = moneyFormat(currency);
  const whole = (value: number | null) => (value === null ? '–' : String(Math.round(value) || 0));
  const formats: Record<Outcome, (value: number | null) => string> = {
    repeatPurchaseRate: percent,
    marginPerCustomerMinor: money,
    churnRate: percent,
    csat: percent,
    nps: whole,
  };
  const figures = [
    ['', 'weight', 'customers', ...OUTCOMES.map((outcome) => HEADINGS[outcome])],
    ...groups.map((group) => [
      group.name,
      percent(group.weight),
      count(group.customers),
      ...OUTCOMES.map((outcome) => {
        const { customers, value } = group[outcome];
        const text = formats[outcome](value);
        return customers === group.customers ? text : `${text} of ${count(customers)}`;
      }),
    ]),
  ];
  const differenceFormats = { ...formats, repeatPurchaseRate: points, churnRate: points, csat: points };
  const rows = differences.flatMap((difference) => [
    [`${difference.group} − ${difference.against}`],
    ...OUTCOMES.map((outcome) => [
      `  ${HEADINGS[outcome]}`,
      withBounds(difference[outcome], differenceFormats[outcome]),
      VERDICTS[difference[outcome].verdict],
    ]),
    [
      '  margin in all',
      withBounds(difference.totalMarginMinor, money),
      VERDICTS[difference.totalMarginMinor.verdict],
    ],
  ]);
  const p = sampleRatio.p === null ? 'too few customers to tell' : `p = ${sampleRatio.p.toPrecision(2)}`;
  return [
    `${title} (${state}): events from ${from} until ${until}; sizes of the groups: ${p}`,
    aligned(figures),
    `Differences, shares in percentage points; in brackets intervals of 95 % that hold however often they are looked at\n${aligned(rows)}`,
    ...warnings.map((warning) => `! ${warning}`),
  ].join('\n\n');
}

const VERDICTS: Record<Difference['verdict'], string> = {
  higher: 'higher',
  lower: 'lower',
  undecided: 'undecided',
  tooFew: 'too few customers',
  tooEarly: 'too early to tell',
};
