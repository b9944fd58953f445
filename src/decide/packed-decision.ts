/**
 * A decision in a fifth of its bytes, as Redis keeps it: what it has in common with others as DEFLATE (RFC 1951) with a dictionary of what
 * most decisions say, the rest as numbers (`packed-pattern.ts`). Against Brotli, which knows no JSON of ours, that halves the time and leaves a third.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { type Packing, packByPattern, patternMark, unpackByPattern } from './packed-pattern.ts';

/**
 * What decisions have in common, the commonest last. Part of the format: what was packed with one dictionary cannot be read with another,
 * so that another one takes another mark, and this one stays as long as there may be decisions under its own.
 */
const dictionary = Buffer.from(
  '"not-yet-valid","no-consent","quiet-hours","complaint-open","suppressed","minimum-gap","contact-cap","offer-cap","discount-open",' +
    '"standsUntil","replaces":{"decisionId":"","offerIds":[""],"reasonCode":"redeemed"},"heldSince":"01a","withheld":true,' +
    '"benefit":{"kind":"serviceContact"}"benefit":{"kind":"content"},"benefit":{"kind":"gift","costMinor":' +
    '"benefit":{"kind":"loyaltyPoints","points":"benefit":{"kind":"amountOff","amountMinor":"benefit":{"kind":"freeDelivery","costMinor":' +
    '"benefit":{"kind":"percentOff","percent":10,"categories":[""],"itemIds":[""]},"body":"","subject":"","title":"","link":"https://www.' +
    '"reasons":["often-redeemed","fits-taste","may-leave","persuades","explored","lever","by-response"],"reasons":["fallback"],' +
    '"sessionId":"","channel":"web","channel":"app","channel":"store","channel":"phone","placement":"default","source":"model",' +
    '"furtherExperiments":[],"experiment":{"name":"","variant":"control"},"collaborative":"20261126T084522Z-' +
    '{"decisionId":"01a","customerId":"","channel":"email","campaign":"","currency":"EUR","decidedAt":"2026-11-26T08:46:32.063Z",' +
    '"standsUntil":"2026-11-27T08:46:32.066Z","experiment":null,"policyVersion":"","placements":[{"placement":"top","offers":[' +
    '{"offerId":"","offerVersion":"","name":"","benefit":{"kind":"percentOff","percent":10},"content":{"headline":"","image":"https://' +
    '"expectedValue":0,"acceptPropensity":0.0,"uplift":0.0,"reasons":["worth-more-than-nothing"],"content":{"headline":"","image":"https://' +
    '.png"},"redeemableUntil":"2026-12-10T08:46:32.063Z","terms":{"source":"prior","acceptPropensity":0.0,"uplift":0.0,"orderMinor":' +
    ',"marginRate":0.3,"marginMinor":,"churnRisk":null,"churnRisk":0.,"churnReduction":0,"remainingLifetimeValueMinor":null,' +
    '"costWhenAcceptedMinor":0,"costWhenMadeMinor":0,"contactCostMinor":0,"priorityLever":1,"standardDeviationMinor":' +
    ',"made":0,"redeemed":0,"affinityLift":1}}],"fallback":true,"loggingPropensity":1}],"fallback":false,"loggingPropensity":0.' +
    '}],"excluded":[],"fallback":true,"experiment":null,"modelVersions":{"churn":"2026","customer-value":"2026","offers":"2026' +
    '"},"policyVersion":"","degraded":false,"standsUntil":"2026-11-27T08:46:32.066Z"}',
);

/** The first byte of JSON that was packed as a whole, as earlier builds did; no JSON begins with it. */
const mark = Buffer.of(1);

// A window of the dictionary's size, 4 KiB: a larger one takes longer to set up than the packing itself.
// So low a level looks less long for repeats, which are nearly all in the dictionary: three bytes in a hundred more, in four fifths of the time.
const options = { dictionary, windowBits: 12, memLevel: 4, level: 3 };

const packing: Packing = {
  pack: (text) => deflateRawSync(text, options),
  unpack: (bytes) => inflateRawSync(bytes, options).toString(),
};

/** What JSON says of the value. */
export function packDecision(decision: object): Buffer {
  return packByPattern(decision, packing) ?? Buffer.concat([mark, packing.pack(JSON.stringify(decision))]);
}

/** The value, also of plain JSON, and of what earlier builds packed. undefined: damaged, or packed by another version in another way. */
export function unpackDecision(bytes: Buffer): unknown {
  // Bytes that were altered may inflate to a text all the same: as a rule to one that is no JSON.
  try {
    switch (bytes[0]) {
      case patternMark:
        return unpackByPattern(bytes, packing);
      case mark[0]:
        return JSON.parse(packing.unpack(bytes.subarray(1)));
      case '{'.charCodeAt(0):
        return JSON.parse(bytes.toString());
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}
