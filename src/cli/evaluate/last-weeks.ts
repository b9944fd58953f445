/** `nextbest evaluate ranking --protocol last-weeks`: the shop's own log, its last weeks foretold from what came before. */
import { evaluateShop, type ShopLine } from '../../train/collaborative/evaluate-shop.ts';
import { testCustomersMax } from '../../train/collaborative/train-collaborative.ts';
import { readTunedSettings } from '../../train/collaborative/tuned-settings.ts';
import { type ShopFlags, testDaysDefault, withShop } from '../last-weeks.ts';
import type { Output } from '../output.ts';
import { showProgress } from '../progress.ts';

export async function evaluateLastWeeks(flags: ShopFlags, output: Output): Promise<void> {
  const progress = showProgress('evaluate');
  const evaluation = await withShop(flags, (tools, { dataDir, before }) =>
    evaluateShop(tools, {
      testDays: flags.testDays ?? testDaysDefault,
      before,
      customersMax: testCustomersMax,
      tuned: (testFrom) => readTunedSettings(dataDir, testFrom),
      onProgress: (share, stage) => progress.report({ share, stage }),
    }),
  ).finally(progress.stop);
  const { lines, best, learned, ease, testFrom } = evaluation;
  output.say(
    `test from ${new Date(testFrom).toISOString()}; settings: ${learned.settingsFrom}; ${learned.choice}; ease: ${ease}`,
  );
  for (const line of lines) output.result({ ...line }, textOf(line));
  const bestLine = lines.find(({ model }) => model === best);
  if (bestLine?.rankerAhead !== undefined)
    output.result(
      { model: 'ranker', minus: best, customers: bestLine.customers, ...bestLine.rankerAhead },
      `ranker − ${best}`.padEnd(24) + figures(bestLine.rankerAhead),
    );
}

function textOf(line: ShopLine): string {
  return line.model.padEnd(24) + figures(line);
}

function figures({ recallAt10, ndcgAt10, lower, upper }: NonNullable<ShopLine['rankerAhead']>): string {
  const one = (name: string, value: number, from: number, to: number) =>
    `${name} ${value.toFixed(4)} (${from.toFixed(4)} to ${to.toFixed(4)})`;
  return [
    one('recall@10', recallAt10, lower.recallAt10, upper.recallAt10),
    one('NDCG@10', ndcgAt10, lower.ndcgAt10, upper.ndcgAt10),
  ].join('  ');
}
