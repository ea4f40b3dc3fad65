// What a plot of a market shows of its runners: prices in steps, each until the next, and what was traded in between.

/**
 * A runner. `times` are milliseconds since 1970 in order, `prices` hold from then on, NaN for none; `added` is what was
 * traded since the time before.
 * @typedef {{ label: string, times: Float64Array, prices: Float64Array, added: Float64Array }} Runner
 */
/** @typedef {[number, number]} Range */
/** @typedef {{ getFloat64(at: number, littleEndian?: boolean): number, byteLength: number }} View */

/** The numbers in bytes from the kernel. @param {View} bytes */
export function numbers(bytes) {
  const found = new Float64Array(bytes.byteLength / 8);
  for (let at = 0; at < found.length; at += 1) found[at] = bytes.getFloat64(8 * at, true);
  return found;
}

/** How many of the sorted times are not after a moment. @param {Float64Array} times @param {number} moment */
export function countUntil(times, moment) {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= moment) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The price of a runner at a moment; NaN before its first. @param {Runner} runner @param {number} moment */
export const priceAt = ({ times, prices }, moment) => prices[countUntil(times, moment) - 1] ?? Number.NaN;

/**
 * From the first price, or the first time where there is none, to the last time; at least a second.
 * @param {Runner[]} runners @returns {Range}
 */
export function wholeRange(runners) {
  const some = runners.filter(({ times }) => times.length);
  if (!some.length) return [0, 1000];
  const priced = some.map(({ times, prices }) => times[prices.findIndex((price) => !Number.isNaN(price))]).filter((at) => at !== undefined);
  const first = Math.min(...(priced.length ? priced : some.map(({ times }) => times[0])));
  return [first, Math.max(first + 1000, ...some.map(({ times }) => times[times.length - 1]))];
}

/**
 * The lowest and the highest price between two moments, with those that hold at the first; null where there is none.
 * @param {Runner[]} runners @param {Range} range @returns {Range | null}
 */
export function priceRange(runners, [from, to]) {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { times, prices } of runners) {
    for (let at = Math.max(0, countUntil(times, from) - 1); at < times.length && times[at] <= to; at += 1) {
      if (prices[at] < low) low = prices[at];
      if (prices[at] > high) high = prices[at];
    }
  }
  return low <= high ? [low, high] : null;
}

/**
 * What was traded on the runners between two moments, in so many equal parts of the time.
 * @param {Runner[]} runners @param {Range} range @param {number} parts
 */
export function volumes(runners, [from, to], parts) {
  const found = new Array(parts).fill(0);
  for (const { times, added } of runners) {
    for (let at = countUntil(times, from - 0.001); at < times.length && times[at] <= to; at += 1) {
      found[Math.min(parts - 1, Math.floor(((times[at] - from) / (to - from)) * parts))] += added[at];
    }
  }
  return found;
}

/**
 * A runner's line in pixels, [x, y] each: of the prices within one column of pixels the first, the lowest, the highest and
 * the last are enough, however many there are. A price of none breaks the line: null stands there.
 * @param {Runner} runner @param {Range} range
 * @param {(time: number) => number} x @param {(price: number) => number} y
 * @returns {([number, number] | null)[]}
 */
export function steps({ times, prices }, [from, to], x, y) {
  /** @type {([number, number] | null)[]} */
  const points = [];
  let [column, low, high, last] = [Number.NaN, 0, 0, Number.NaN];
  const end = () => {
    if (Number.isNaN(column) || Number.isNaN(last)) return;
    for (const level of [low, high, last]) points.push([column, level]);
  };
  for (let at = Math.max(0, countUntil(times, from) - 1); at < times.length && times[at] <= to; at += 1) {
    const here = Math.round(x(Math.max(times[at], from)));
    const level = Number.isNaN(prices[at]) ? Number.NaN : y(prices[at]);
    if (here === column && !Number.isNaN(level) && !Number.isNaN(last)) {
      [low, high, last] = [Math.min(low, level), Math.max(high, level), level];
      continue;
    }
    end();
    if (!Number.isNaN(last)) points.push([here, last]); // it held until now
    if (Number.isNaN(level)) points.push(null);
    [column, low, high, last] = [here, level, level, level];
  }
  end();
  if (!Number.isNaN(last)) points.push([Math.round(x(to)), last]);
  return points;
}

/**
 * A range that is zoomed by a factor about a moment, or moved; within the whole, and not shorter than a second.
 * @param {Range} range @param {Range} whole @param {{ about?: number, factor?: number, by?: number }} change
 * @returns {Range}
 */
export function changed([from, to], whole, { about = (from + to) / 2, factor = 1, by = 0 }) {
  const size = Math.min(whole[1] - whole[0], Math.max(1000, (to - from) * factor));
  const part = (about - from) / (to - from);
  const begin = Math.min(Math.max(about - part * size + by, whole[0]), whole[1] - size);
  return [begin, begin + size];
}

/**
 * Round prices between two on a scale of logarithms: 1, 2, 5, 10 ..., or closer ones where these are too few.
 * @param {number} low @param {number} high
 */
export function priceMarks(low, high) {
  for (const leading of [[1, 2, 5], [1, 1.5, 2, 3, 4, 5, 7], Array.from({ length: 90 }, (_, at) => 1 + at / 10)]) {
    const found = [];
    for (let power = 10 ** Math.floor(Math.log10(low)); power <= high; power *= 10) {
      for (const first of leading) if (first * power >= low && first * power <= high) found.push(Number((first * power).toPrecision(6)));
    }
    if (found.length > 2) return found.filter((_, at) => at % Math.ceil(found.length / 10) === 0);
  }
  return [low, high].map((price) => Number(price.toPrecision(4)));
}
