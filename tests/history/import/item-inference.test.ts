import { describe, expect, test } from 'vitest';
import { openLake, writePart } from '../../../src/history/lake.ts';
import { openShop, type Shop } from './support.ts';

const HEADER = 'order,customer,item,name,category,date,price\n';

async function importLog(shop: Shop, name: string, rows: readonly string[], more = {}) {
  return shop.run('generic', [await shop.file(name, HEADER + rows.join('\n'))], more);
}

/** A catalogue entry as the service writes it when somebody puts an item. */
async function putItem(shop: Shop, itemId: string, json: string, at: string): Promise<void> {
  const lake = await openLake(shop.dataDir);
  try {
    await writePart(
      lake,
      'items',
      'stream-1-1',
      `SELECT '${itemId}' AS "itemId", TIMESTAMP '${at}' AS "updatedAt", '${json}' AS json`,
    );
  } finally {
    lake.close();
  }
}

describe('a catalogue out of a log', () => {
  test('takes the name and category that are written most often, and the median of the late prices', async () => {
    const shop = await openShop();
    await importLog(shop, 'a.csv', [
      '1,a,t,GREEN TEA,Tea,2025-06-01,9.00',
      '2,a,t,green tea?,,2026-02-01,1.00',
      '3,a,t,GREEN TEA,Tea,2026-02-02,3.00',
      '4,a,t,,Drinks,2026-02-03,2.00',
      // A gift says nothing of the price.
      '5,a,t,GREEN TEA,Tea,2026-02-04,0',
    ]);
    expect((await shop.items()).t).toEqual({
      itemId: 't',
      name: 'GREEN TEA',
      category: 'Tea',
      priceMinor: 200,
      inStock: true,
      discontinued: false,
    });
  });

  test('counts an item as discontinued that did not sell in the last 90 days of the log; 0 days: never', async () => {
    const rows = [
      '1,a,old,OLD,,2026-01-01T00:00:00Z,1',
      '2,a,edge,EDGE,,2026-01-02T00:00:00Z,1',
      // 90 days before 2026-04-02 is 2026-01-02.
      '3,a,new,NEW,,2026-04-02T00:00:00Z,1',
    ];
    const discontinued = async (more: object) => {
      const shop = await openShop();
      await importLog(shop, 'a.csv', rows, more);
      return Object.values(await shop.items())
        .filter((item) => item.discontinued === true)
        .map((item) => item.itemId);
    };
    expect(await discontinued({})).toEqual(['old']);
    expect(await discontinued({ discontinuedAfterDays: 0 })).toEqual([]);
    expect((await discontinued({ discontinuedAfterDays: 10 })).sort()).toEqual(['edge', 'old']);
  });

  test('a sale to a guest shows that the item is still sold, and what it is called', async () => {
    const shop = await openShop();
    const report = await importLog(shop, 'a.csv', [
      '1,a,t,,,2025-01-01,1',
      '2,,t,GREEN TEA,,2026-04-01,2',
      '3,a,u,CUP,,2026-04-02,1',
    ]);
    expect(report.rejected).toEqual({ noCustomer: 1 });
    expect((await shop.items()).t).toMatchObject({ name: 'GREEN TEA', discontinued: false, priceMinor: 200 });
  });

  test('a return is no sale', async () => {
    const shop = await openShop();
    const path = await shop.file(
      'a.csv',
      'order,customer,item,date,quantity\n1,a,t,2025-01-01,1\n2,a,t,2026-04-01,-1\n3,a,u,2026-04-02,1\n',
    );
    await shop.run('generic', [path]);
    expect((await shop.items()).t).toMatchObject({ discontinued: true });
  });

  test("the log's own word counts after the last sale", async () => {
    const shop = await openShop();
    const header = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n';
    const path = await shop.file(
      'r.csv',
      `${header}1,10001,MUG,1,2011-03-01 10:00:00,2,20001,UK
2,10002,CUP,1,2011-03-01 10:00:00,2,20001,UK
3,10001,Discontinued,-5,2011-03-02 10:00:00,0,,UK
4,10002,discontinued,-5,2011-02-02 10:00:00,0,,UK
`,
    );
    await shop.run('uci-online-retail', [path]);
    const items = await shop.items();
    expect([items['10001'], items['10002']]).toMatchObject([
      { name: 'MUG', discontinued: true },
      { name: 'CUP', discontinued: false },
    ]);
  });

  test('a later log renames, reprices and revives; an earlier one that comes after it does not', async () => {
    const shop = await openShop();
    await importLog(shop, 'b.csv', [
      '1,a,t,TEA,Tea,2025-06-01,2',
      '2,a,u,CUP,,2025-12-01,5',
      '3,a,w,POT,,2025-06-01,7',
    ]);
    expect((await shop.items()).t).toMatchObject({ name: 'TEA', discontinued: true });
    await importLog(shop, 'c.csv', ['4,a,t,GREEN TEA,,2026-02-01,3']);
    const later = await shop.items();
    expect(later.t).toMatchObject({
      name: 'GREEN TEA',
      category: 'Tea',
      priceMinor: 300,
      discontinued: false,
    });
    // 2025-12-01 is within 90 days of 2026-02-01; 2025-06-01 is not.
    expect([later.u?.discontinued, later.w?.discontinued]).toEqual([false, true]);
    await importLog(shop, 'a.csv', ['0,a,t,OLD TEA,Old,2024-01-01,1', '0,a,v,VASE,,2024-01-01,1']);
    const items = await shop.items();
    expect(items.t).toEqual(later.t);
    expect(items.v).toMatchObject({ name: 'VASE', discontinued: true });
  });

  test('never overwrites what a catalogue says, nor brings back what was deleted', async () => {
    const shop = await openShop();
    const given =
      '{"itemId":"t","name":"Sencha","category":"Tea","marginMinor":40,"inStock":false,"discontinued":false}';
    await putItem(shop, 't', given, '2020-01-01');
    await importLog(shop, 'a.csv', ['1,a,t,GREEN TEA,,2026-02-01,3', '2,a,u,CUP,,2026-02-01,3']);
    const items = await shop.items();
    expect(items.t).toEqual(JSON.parse(given));
    expect(items.u).toMatchObject({ name: 'CUP' });
    // The line has the catalogue's category, where the log has none.
    expect((await shop.lake('events')).find(({ itemId }) => itemId === 't')).toMatchObject({
      category: 'Tea',
    });
  });

  test('of the same log with another rule follows the rule', async () => {
    const shop = await openShop();
    const rows = ['1,a,t,TEA,,2025-06-01,2', '2,a,u,CUP,,2025-12-01,5'];
    await importLog(shop, 'a.csv', rows);
    expect((await shop.items()).t).toMatchObject({ discontinued: true });
    expect(await importLog(shop, 'a.csv', rows, { discontinuedAfterDays: 0 })).toMatchObject({
      accepted: 0,
      items: 1,
    });
    expect((await shop.items()).t).toMatchObject({ discontinued: false });
  });
});
