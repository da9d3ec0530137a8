import { metricOfKey } from '../metrics/metric.js';
import { isMetricName, metricTitle } from '../metrics/metric-catalogue.js';
import type { Metrics } from '../metrics/measured.js';
import { tasks } from './task-of.js';

/** A number of a report, as lists name it. */
export interface HeadlineMetric {
  key: string;
  /** As within a sentence. */
  title: string;
}

/**
 * The metrics by which people tell models apart, the main one first. The task is the one that has all of these metrics,
 * so that lists over many models need no definitions. Empty where nothing was measured.
 */
export function headlineOf(metrics: Metrics): HeadlineMetric[] {
  const measured = Object.keys(metrics).map(metricOfKey).filter(isMetricName);
  const task = Object.values(tasks).find(({ metrics: own, headline }) => {
    const names = new Set(own.map(({ name }) => name));
    return headline.every((key) => Object.hasOwn(metrics, key)) && measured.every((name) => names.has(name));
  });
  return (task?.headline ?? []).map((key) => ({ key, title: withinSentence(metricTitle(key)) }));
}

/** `log loss`, but `ROC AUC` and `R²`. */
const withinSentence = (title: string): string =>
  /^[A-Z][a-z]/.test(title) ? title.charAt(0).toLowerCase() + title.slice(1) : title;
