/** Why a list that is complete is about nobody, so that a slip in its request does not pass for a campaign without customers. */
import type { BatchAbout } from '../../domain/batch.ts';
import { ruleNodes } from '../../domain/rule.ts';
import type { Lake } from '../../history/lake.ts';
import { type ShopSegment, shopSegments } from '../../history/shop-segments.ts';

const segmentsTold = 20;

/** `customers`: how many were looked at. */
export async function whyNobody(
  { listed, segment, eligibility }: BatchAbout,
  customers: number,
  lake: Pick<Lake, 'connection' | 'from'>,
): Promise<string> {
  if (listed) return 'Nobody is on the list: all of these customers have been erased.';
  if (segment !== undefined)
    return `Nobody is in the segment "${segment}". ${told(await shopSegments(lake, segmentsTold))}`;
  if (customers === 0)
    return 'There is nobody to decide for: no event of a customer has come into the lake yet.';
  const rules = eligibility === undefined ? [] : [...ruleNodes(eligibility)].map(({ rule }) => rule);
  const segments = rules.some(({ attribute }) => attribute === 'segment')
    ? ` ${told(await shopSegments(lake, segmentsTold))}`
    : '';
  const scores = rules.some(({ score }) => score !== undefined)
    ? ' A score is not known while no model is served that tells it (GET /models), nor of who has never ordered.'
    : '';
  return `The rule (eligibility) holds for none of the ${customers} customers.${segments}${scores}`;
}

function told(segments: readonly ShopSegment[]): string {
  if (segments.length === 0)
    return 'No customer has a segment of the shop: PUT /customers/{customerId} or an event customerUpdated gives one.';
  const named = segments.map(({ name, customers }) => `${name} (${customers})`).join(', ');
  return `The shop's segments are: ${named}${segments.length === segmentsTold ? ' …' : ''}.`;
}
