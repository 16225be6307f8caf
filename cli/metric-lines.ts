/** What components count themselves, a line for each metric. */
import type { ComponentCounts } from './component-table.js';
import { clean, count } from './format.js';

/** More than fits a screen is for `--json`. */
const MAX_LINES = 50;
const DIGITS = 3;

export function metricLines({ spouts, bolts }: ComponentCounts): string[] {
  const lines: string[] = [];
  for (const [component, { metrics }] of [...Object.entries(spouts), ...Object.entries(bolts)]) {
    if (metrics === undefined) continue;
    const line = (name: string, text: string) => lines.push(`${component} ${clean(name)}: ${text}`);
    for (const [name, value] of Object.entries(metrics.counters)) line(name, figure(value));
    for (const [name, values] of Object.entries(metrics.gauges)) {
      line(
        name,
        Object.entries(values)
          .map(([task, value]) => `${figure(value)} (task ${task})`)
          .join(', '),
      );
    }
    for (const [name, { count: times, ...quantiles }] of Object.entries(metrics.histograms)) {
      const shown = Object.entries(quantiles).map(([quantile, value]) => `${quantile} ${figure(value)}`);
      line(name, `${shown.join(', ')}; ${count(times)} in all`);
    }
  }
  const more = lines.length - MAX_LINES;
  return more > 0 ? [...lines.slice(0, MAX_LINES), `and ${count(more)} more: --json has them all`] : lines;
}

/** `12,345`, `0.25`: as many digits as matter. */
function figure(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: DIGITS });
}
