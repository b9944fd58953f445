/** `nextbest offers rebuild-ledgers`: budgets and contacts out of the lake, after Redis was lost. */
import { Command } from 'commander';
import { createContactLedger } from '../decide/ledger/contact-ledger.ts';
import { loadDecisionPolicy } from '../decide/policy.ts';
import type { SpentBudget } from '../domain/erasure.ts';
import { openLake } from '../history/lake.ts';
import { readConfig } from '../infra/config.ts';
import { openErasureFiles } from '../infra/erasure-files.ts';
import { rebuildLedgers } from '../train/rebuild-ledgers.ts';
import { outputOf } from './output.ts';
import { withRedis } from './with-redis.ts';

export const rebuildLedgersCommand = (): Command =>
  new Command('rebuild-ledgers')
    .description(
      "put back what is out and spent of budgets, and customers' contacts, from the lake, after Redis was lost",
    )
    .action(async (_options, command: Command) => {
      const output = outputOf(command);
      const config = readConfig(process.env);
      const { policy } = loadDecisionPolicy(config.decisionPolicyFile);
      await withRedis('offers', async ({ redis, keys }) => {
        const lake = await openLake(config.dataDir);
        try {
          const rebuilt = await rebuildLedgers({
            lake,
            redis,
            keys,
            contacts: createContactLedger(redis, keys),
            policy,
            currency: config.currency,
            now: Date.now(),
            spent: await spentByErased(config.dataDir),
          });
          const { decisions, outcomes, messages, purchases, customers, budgets, reservations } = rebuilt;
          output.result(
            rebuilt,
            `${decisions} decisions, ${outcomes} outcomes, ${messages} messages and ${purchases} purchases with offers read: contacts of ${customers} customers, and ${reservations} reservations and ` +
              `redemptions of ${budgets} budgets, are as the lake tells.`,
          );
        } finally {
          lake.close();
        }
      });
    });

async function spentByErased(dataDir: string): Promise<SpentBudget[]> {
  const files = await openErasureFiles(dataDir);
  return [...(await files.receipts()), ...(await files.pending())].flatMap(({ spent }) => spent);
}
