// Money is a whole number of fen everywhere; these are the two places where it meets a person.

const groups = /\B(?=(\d{3})+$)/g;

// yuan writes fen as yuan with two decimals: 123456 is "1,234.56".
export function yuan(fen) {
  const digits = String(Math.abs(fen)).padStart(3, '0');
  return (fen < 0 ? '−' : '') + digits.slice(0, -2).replace(groups, ',') + '.' + digits.slice(-2);
}

// MOST is what the door takes at most, in fen.
export const MOST = 1_000_000_000;

// fenOf reads what somebody typed as yuan: "35.8" is 3580. What is no amount above
// nothing, or more than the door takes, is null.
export function fenOf(typed) {
  const parts = /^\s*(\d{1,8})(?:[.。](\d{1,2}))?\s*$/.exec(typed);
  if (!parts) return null;
  const fen = Number(parts[1]) * 100 + Number((parts[2] ?? '').padEnd(2, '0'));
  return fen > 0 && fen <= MOST ? fen : null;
}

// SCALE is how many parts the door divides a quantity into: four decimals.
const SCALE = 10_000;

// partsOf reads a quantity, "1" or "0.5", as ten-thousandths; what is none is null.
export function partsOf(typed) {
  const parts = /^\s*(\d{1,6})(?:\.(\d{1,4}))?\s*$/.exec(typed);
  if (!parts) return null;
  const n = Number(parts[1]) * SCALE + Number((parts[2] ?? '').padEnd(4, '0'));
  return n > 0 ? n : null;
}

// quantityOf writes ten-thousandths as the door takes them.
export function quantityOf(parts) {
  const rest = String(parts % SCALE).padStart(4, '0').replace(/0+$/, '');
  return Math.floor(parts / SCALE) + (rest && '.' + rest);
}

// amountOf is price × quantity in fen, half up. Whole numbers throughout.
export function amountOf(fen, parts) {
  return Number((BigInt(fen) * BigInt(parts) + BigInt(SCALE / 2)) / BigInt(SCALE));
}
