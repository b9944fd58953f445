/** `nextbest evaluate redemptions`: who redeems a coupon of a campaign, beside how often they did before. */
import { Command } from 'commander';
import { dayText } from '../../evaluation/input/day.ts';
import { evaluateRedemptions } from '../../evaluation/redemptions/evaluate-redemptions.ts';
import { readRedemptions } from '../../evaluation/redemptions/redemption-table.ts';
import { figuresOf } from '../output.ts';
import { wholeNumber } from '../protocols.ts';

export const evaluateRedemptionsCommand = (): Command =>
  new Command('redemptions')
    .description(
      'learn from the earlier campaigns of The Complete Journey who redeems a coupon, test on the later ones: docs/evaluation.md',
    )
    .argument(
      '<folder>',
      'its files: campaigns, campaign_descriptions, coupons, coupon_redemptions, transactions',
    )
    .option('--seed <n>', 'another seed is other random numbers', wholeNumber, 1)
    .action(async (folder: string, flags: { seed: number }, command: Command) => {
      const output = figuresOf(command);
      const found = await evaluateRedemptions(await readRedemptions(folder), flags.seed);
      const { learnRows, testRows, testRedeemed, chosen, learned, pastRedemptions, difference } = found;
      output.say(
        `Test from ${dayText(found.testFrom)}: ${testRows} households × campaigns, of which ${testRedeemed} redeemed; learnt from ${learnRows} that had ended by then: ${chosen}.`,
      );
      for (const [model, value] of Object.entries({ learned, 'past-redemptions': pastRedemptions }))
        output.result({ model, auc: value }, `${model.padEnd(24)}AUC ${value.toFixed(4)}`);
      output.result(
        { model: 'learned', minus: 'past-redemptions', auc: difference.mean, ...ends(difference) },
        `difference              ${difference.mean.toFixed(4)} (${difference.lower.toFixed(4)} to ${difference.upper.toFixed(4)})`,
      );
    });

function ends({ lower, upper }: { lower: number; upper: number }) {
  return { lower, upper };
}
