/** Why a list of customers is empty: of a CRM's first list, mostly a model that there is not yet, or consent that nobody has told of. */
import type { Channel } from '../../domain/channel.ts';
import type { Snapshot } from '../../history/score-snapshots.ts';
import type { FilterCounts } from './score-reader.ts';

type Filters = {
  riskAbove?: number | undefined;
  valueAbove?: number | undefined;
  channel?: Channel | undefined;
};

/** One line of ASCII for a header. `alone`: for how many each filter holds by itself. */
export function whyEmpty(
  { customers, models }: Pick<Snapshot, 'customers' | 'models'>,
  alone: FilterCounts,
  { riskAbove, valueAbove, channel }: Filters,
): string {
  if (customers === 0) return 'Nobody was there to be scored: no customer has a record yet.';
  const noValue = `no model of customer value was served when they were scored, so that no value or RFM segment is known: ${cure('customer-value')}`;
  const reasons: string[] = [];
  if (alone.riskAbove === 0)
    reasons.push(
      models.churn === null
        ? `no churn model was served when they were scored, so that no risk is known: ${cure('churn')}`
        : `nobody's risk is above ${riskAbove}`,
    );
  if (alone.valueAbove === 0)
    reasons.push(models.customerValue === null ? noValue : `nobody's value is above ${valueAbove}`);
  if (alone.segments === 0 && !reasons.includes(noValue))
    reasons.push(models.customerValue === null ? noValue : 'nobody is in these RFM segments');
  if (alone.channel === 0)
    reasons.push(
      channel === 'email' || channel === 'phone'
        ? `nobody is known to have consented to ${channel}: PUT /customers/{customerId}, an event customerUpdated or nextbest import tells of consent, and score-customers takes it up`
        : `everybody has withdrawn from ${channel}`,
    );
  if (reasons.length === 0) reasons.push('each filter holds for some, and all of them for nobody');
  return `None of the ${customers} scored customers is on the list: ${reasons.join('; ')}.`;
}

function cure(model: string): string {
  return `GET /models tells why, the jobs train-${model} and then score-customers (POST /jobs) mend it`;
}
