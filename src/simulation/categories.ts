/** The shelves of the simulated shop: what is sold, at what price, how often it runs out and when it is wanted. */

export type Category = {
  name: string;
  nouns: readonly string[];
  /** Median price in minor units, and the spread of its logarithm. */
  priceMinor: number;
  priceSpread: number;
  /** Share of the items that run out and are bought again, and the median days until then (0: none do). */
  consumableShare: number;
  gapDays: number;
  /** Share of delivered lines that are sent back. */
  returnShare: number;
  /** Month of the highest demand (1 = January), and how strongly it swings: demand ∝ e^(swing · cos). */
  peakMonth: number;
  swing: number;
  /** Relative size of the shelf and of its demand. */
  size: number;
};

function category(
  name: string,
  nouns: string,
  [priceMinor, priceSpread]: [number, number],
  [consumableShare, gapDays]: [number, number],
  [peakMonth, swing]: [number, number],
  [returnShare, size]: [number, number],
): Category {
  return {
    name,
    nouns: nouns.split(', '),
    priceMinor,
    priceSpread,
    consumableShare,
    gapDays,
    returnShare,
    peakMonth,
    swing,
    size,
  };
}

export const CATEGORIES: readonly Category[] = [
  category(
    'Coffee & Tea',
    'Coffee Beans, Espresso Blend, Earl Grey, Green Tea',
    [1100, 0.4],
    [0.9, 28],
    [12, 0.1],
    [0.01, 1.2],
  ),
  category(
    'Pet Food',
    'Cat Food, Dog Kibble, Dog Treats, Bird Seed',
    [2400, 0.5],
    [0.9, 30],
    [1, 0],
    [0.01, 1.1],
  ),
  category(
    'Skin Care',
    'Day Cream, Cleanser, Face Serum, Hand Balm',
    [1800, 0.6],
    [0.7, 50],
    [1, 0.15],
    [0.03, 1.1],
  ),
  category(
    'Board Games',
    'Strategy Game, Card Game, Puzzle, Party Game',
    [3000, 0.4],
    [0, 0],
    [12, 0.8],
    [0.03, 0.9],
  ),
  category(
    'Cookware',
    'Frying Pan, Casserole, Saucepan, Baking Tin',
    [5500, 0.6],
    [0, 0],
    [11, 0.3],
    [0.05, 0.9],
  ),
  category(
    'Fashion for Women',
    'Blouse, Dress, Cardigan, Trousers',
    [4500, 0.5],
    [0, 0],
    [4, 0.2],
    [0.22, 1.3],
  ),
  category(
    'Household Cleaning',
    'Detergent, Dish Tabs, Surface Cleaner, Sponges',
    [800, 0.4],
    [0.8, 40],
    [4, 0.1],
    [0.01, 1],
  ),
  category('Books', 'Novel, Cookbook, Travel Guide, Thriller', [1500, 0.3], [0, 0], [12, 0.4], [0.02, 1.5]),
  category(
    'Garden',
    'Planter, Pruning Shears, Seeds, Watering Can',
    [2200, 0.7],
    [0.1, 60],
    [5, 1],
    [0.04, 1],
  ),
  category(
    'Baby Care',
    'Nappies, Wet Wipes, Baby Lotion, Porridge',
    [1500, 0.4],
    [0.8, 21],
    [1, 0],
    [0.02, 0.8],
  ),
  category('Audio', 'Headphones, Speaker, Earbuds, Radio', [8500, 0.6], [0, 0], [12, 0.5], [0.08, 0.8]),
  category(
    'Running',
    'Running Shoes, Running Shirt, Shorts, Belt',
    [6000, 0.5],
    [0, 0],
    [5, 0.4],
    [0.14, 0.9],
  ),
  category(
    'Hair Care',
    'Shampoo, Conditioner, Hair Oil, Brush',
    [1100, 0.5],
    [0.7, 45],
    [7, 0.05],
    [0.02, 0.9],
  ),
  category('Toys', 'Building Set, Doll, Wooden Train, Plush Bear', [2500, 0.5], [0, 0], [12, 1], [0.04, 1.1]),
  category(
    'Home Textiles',
    'Throw, Bed Linen, Towel Set, Cushion',
    [3800, 0.5],
    [0, 0],
    [10, 0.3],
    [0.09, 1],
  ),
  category(
    'Wine & Spirits',
    'Red Wine, White Wine, Gin, Sparkling Wine',
    [1300, 0.5],
    [0.5, 35],
    [12, 0.4],
    [0.01, 0.9],
  ),
  category(
    'Cycling',
    'Bike Light, Helmet, Pannier, Cycling Jersey',
    [4800, 0.7],
    [0, 0],
    [6, 0.6],
    [0.08, 0.8],
  ),
  category('Fashion for Men', 'Shirt, Jumper, Chinos, Jacket', [4800, 0.5], [0, 0], [10, 0.2], [0.18, 1.1]),
  category(
    'Vitamins',
    'Vitamin D, Magnesium, Omega Oil, Multivitamin',
    [1900, 0.4],
    [0.8, 45],
    [1, 0.3],
    [0.01, 0.8],
  ),
  category(
    'Stationery',
    'Notebook, Fountain Pen, Planner, Marker Set',
    [1300, 0.6],
    [0.3, 60],
    [9, 0.4],
    [0.02, 0.9],
  ),
  category(
    'Lighting',
    'Table Lamp, Pendant Light, Reading Light, Lantern',
    [5200, 0.6],
    [0, 0],
    [11, 0.5],
    [0.08, 0.7],
  ),
  category(
    'Snacks & Sweets',
    'Chocolate, Mixed Nuts, Biscuits, Crackers',
    [550, 0.4],
    [0.6, 21],
    [12, 0.4],
    [0.01, 1.2],
  ),
  category('Outdoor', 'Rucksack, Tent, Rain Jacket, Sleeping Bag', [7500, 0.6], [0, 0], [7, 0.7], [0.1, 0.8]),
  category(
    'Kitchen Tools',
    'Kitchen Knife, Grater, Mixer, Chopping Board',
    [3200, 0.7],
    [0, 0],
    [12, 0.3],
    [0.05, 1],
  ),
];

export const BRANDS: readonly string[] = [
  'Alder & Finch',
  'Nordhus',
  'Lumora',
  'Kestrel Bay',
  'Tilia',
  'Brambleby',
  'Ostara',
  'Vellum & Vine',
  'Quillon',
  'Marrow Hill',
  'Sola Verde',
  'Hearthline',
  'Pebblewick',
  'Aurelin',
  'Fernway',
  'Corvane',
  'Mistral Row',
  'Dunmere',
  'Oakensong',
  'Pollux',
  'Saltgrass',
  'Wrenfield',
  'Ivarsen',
  'Cindermoor',
  'Larkspur Lane',
  'Bellweather',
  'Thornquist',
  'Juniper Court',
  'Havelock',
  'Zephyrine',
];

export const ADJECTIVES: readonly string[] = [
  'Classic',
  'Organic',
  'Compact',
  'Everyday',
  'Premium',
  'Family',
  'Nordic',
  'Little',
  'Signature',
  'Light',
  'Artisan',
  'Essential',
  'Vintage',
  'Eco',
  'Royal',
  'Urban',
  'Country',
  'Original',
  'Pure',
  'Bright',
];

/** Parts of the country: the market segments by which popularity is kept. */
export const SEGMENTS = ['north', 'south', 'east', 'west'] as const;
export type Segment = (typeof SEGMENTS)[number];
