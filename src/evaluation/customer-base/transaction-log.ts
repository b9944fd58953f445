/** Who bought when, and for how much: all that the models of a customer base look at. */

export type TransactionLog = {
  /** Customers are numbered in the order in which the file first names them. */
  customers: number;
  /** One entry a row of the file, in its order. */
  customer: Int32Array;
  /** Days since 1 January 1970. */
  day: Int32Array;
  /** Absent where the file tells of no money. */
  amount?: Float64Array;
};
