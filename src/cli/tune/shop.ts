/** `nextbest tune` without a protocol: the shop's own model, for the next training. */
import { tuneShop } from '../../train/collaborative/tune-shop.ts';
import { type ShopFlags, testDaysDefault, withShop } from '../last-weeks.ts';
import type { Output } from '../output.ts';

export async function tuneOwnShop(
  flags: ShopFlags & { budgetSeconds: number },
  output: Output,
): Promise<void> {
  const { path, best, trials, seconds } = await withShop(flags, (tools, shop) =>
    tuneShop(tools, {
      ...shop,
      testDays: flags.testDays ?? testDaysDefault,
      budgetSeconds: flags.budgetSeconds,
      clock: () => performance.now(),
      onResumed: (count) => output.say(`goes on after ${count} trials`),
      onTrial: ({ quality, params, seconds: took, fault }, leader) =>
        output.say(
          `${quality === null ? `failed (${fault})` : quality.toFixed(4)}, best ${(leader?.quality ?? 0).toFixed(4)}, ` +
            `${took.toFixed(1)} s, ${JSON.stringify(params)}`,
        ),
    }),
  );
  output.result(
    {
      model: 'collaborative',
      trials,
      seconds,
      quality: best?.quality ?? null,
      params: best?.params ?? null,
      path,
    },
    best
      ? `${(best.quality ?? 0).toFixed(4)} after ${trials} trials with ${JSON.stringify(best.params)}; the next training uses ${path}`
      : `no trial of ${trials} came to an end`,
  );
}
