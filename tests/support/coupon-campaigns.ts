/** Invented campaigns in the files of The Complete Journey: who likes what a coupon is for redeems it, which past redemptions do not tell. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createRng } from '../../src/algorithms/rng.ts';

/** Lines of each file by its name's stem, the columns first. */
export type CampaignFiles = Record<string, string[]>;

const columns = {
  campaign_descriptions: 'campaign_id,campaign_type,start_date,end_date',
  campaigns: 'campaign_id,household_id',
  coupons: 'coupon_upc,product_id,campaign_id',
  coupon_redemptions: 'household_id,coupon_upc,campaign_id,redemption_date',
  transactions_sample:
    'household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,coupon_match_disc,week,transaction_timestamp',
};

/** Eight campaigns of one coupon each, from day 30 on, every 30 days. */
export function couponCampaigns(households: number): CampaignFiles {
  const files: CampaignFiles = Object.fromEntries(
    Object.entries(columns).map(([name, head]) => [name, [head]]),
  );
  const rng = createRng(31, 'redemptions');
  const day = (n: number) => new Date(Date.UTC(2017, 0, 1 + n)).toISOString().slice(0, 10);
  const likes = Array.from({ length: households }, () => rng.nextInt(4));
  likes.forEach((taste, h) => {
    for (let n = 0; n < 6; n++)
      files.transactions_sample!.push(
        `${h},1,b${h}-${n},p${rng.chance(0.7) ? taste : rng.nextInt(4)},1,2,0,0,0,1,${day(n)}T10:00:00Z`,
      );
  });
  for (let c = 0; c < 8; c++) {
    files.campaign_descriptions!.push(`${c},Type A,${day(30 + 30 * c)},${day(50 + 30 * c)}`);
    files.coupons!.push(`u${c},p${c % 4},${c}`);
    for (let h = 0; h < households; h++) {
      files.campaigns!.push(`${c},${h}`);
      if (rng.chance(likes[h] === c % 4 ? 0.6 : 0.05))
        files.coupon_redemptions!.push(`${h},u${c},${c},${day(35 + 30 * c)}`);
    }
  }
  return files;
}

export async function writeCampaigns(files: CampaignFiles, folder: string): Promise<void> {
  for (const [stem, lines] of Object.entries(files))
    await writeFile(
      join(folder, stem === 'coupons' ? `${stem}.csv.gz` : `${stem}.csv`),
      stem === 'coupons' ? gzipSync(lines.join('\n')) : lines.join('\n'),
    );
}
