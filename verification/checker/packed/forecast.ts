/**
 * How many states the levels after the last one of `levels` will have together. A finite state space grows and shrinks like a
 * bell: the ratio of one level to the next falls by about the same factor from level to level. Extrapolates by that of the last
 * levels. Returns `null` while the ratio does not fall, which is as long as no end is in sight.
 */
export function statesToCome(levels: readonly number[]): number | null {
  const ratios = levels
    .slice(-considered - 1)
    .map((size, index, all) => size / all[index - 1]!)
    .slice(1);
  if (ratios.length < considered) return null;
  const falls = (ratios.at(-1)! / ratios[0]!) ** (1 / (considered - 1));
  if (!(falls < 0.99)) return null;
  let [size, ratio, sum] = [levels.at(-1)!, ratios.at(-1)!, 0];
  while (size >= 1) {
    ratio *= falls;
    size *= ratio;
    sum += size;
  }
  return sum;
}

/** Ratios that are looked at. Single levels go up and down. */
const considered = 5;
