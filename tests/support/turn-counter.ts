/** Counts turns of the event loop until it is stopped. */
export function turnCounter() {
  let turn = 0;
  let isCounting = true;
  const count = () => {
    turn++;
    if (isCounting) setImmediate(count);
  };
  setImmediate(count);
  return {
    get turn() {
      return turn;
    },
    stop: () => {
      isCounting = false;
    },
  };
}
