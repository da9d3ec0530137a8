import type { Counter, Gauge, Histogram } from 'prom-client';

type Metric = Counter<string> | Gauge<string> | Histogram<string>;

/** In how many scrapes the last counts of a version that no route names are shown before they go. */
const shownMax = 2;

interface Leaving {
  counted: number;
  shown: number;
}

/**
 * The series that are labelled by model and version: they end with the version, so that their number is bounded by what
 * routes name.
 */
export class VersionSeries {
  private readonly metrics: Metric[] = [];
  private readonly leaving = new Map<string, Leaving>();

  add(metric: Metric): void {
    this.metrics.push(metric);
  }

  /**
   * Before each scrape: removes what counts nothing more for versions and models that nothing names. One that still
   * answers, asked for by its number, is shown until it has been unloaded.
   * @param isNamed of a model, where the version is undefined
   */
  async removeUnnamed(isNamed: (model: string, version: number | undefined) => boolean): Promise<void> {
    const unnamed = new Map<string, { counted: number; series: [Metric, Record<string, string>][] }>();
    for (const metric of this.metrics) {
      const { type, values } = await metric.get();
      for (const { labels, value } of values) {
        const own = namedLabels(labels);
        const { model = '', version = '' } = own;
        if (model === '' || isNamed(model, version === '' ? undefined : Number(version))) continue;
        const key = keyOf(model, version);
        const found = unnamed.get(key) ?? { counted: 0, series: [] };
        unnamed.set(key, found);
        if (String(type) !== 'gauge') found.counted += value;
        found.series.push([metric, own]);
      }
    }
    for (const key of this.leaving.keys()) if (!unnamed.has(key)) this.leaving.delete(key);
    for (const [key, { counted, series }] of unnamed) {
      const before = this.leaving.get(key);
      const shown = before === undefined || counted > before.counted ? 0 : before.shown;
      this.leaving.set(key, { counted, shown: shown + 1 });
      if (shown >= shownMax) for (const [metric, labels] of series) metric.remove(labels);
    }
  }

  /** At once: the version is unloaded, and has been without a route for a while. */
  async removeVersion(model: string, version: number): Promise<void> {
    for (const metric of this.metrics)
      for (const { labels } of (await metric.get()).values) {
        const own = namedLabels(labels);
        if (own['model'] === model && own['version'] === String(version)) metric.remove(own);
      }
  }
}

const keyOf = (model: string, version: string) => `${model}@${version}`;

/** The labels by which a series is removed: without the bound of a histogram's bucket. */
function namedLabels(labels: object): Record<string, string> {
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(labels)) if (name !== 'le') own[name] = String(value);
  return own;
}
