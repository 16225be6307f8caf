/** What was dropped, by cause, summed up: some causes are counted in several places. */
export function addDrops(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const drops of all) {
    for (const [cause, count] of Object.entries(drops)) if (count > 0) sum[cause] = (sum[cause] ?? 0) + count;
  }
  return sum;
}
