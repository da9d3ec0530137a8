import type { Metrics } from '../../domain/metrics/measured.js';
import { headlineOf } from '../../domain/tasks/headline.js';
import type { Route, RouteTarget } from '../../domain/serving/route.js';
import type { RunSummary } from '../../client/http/runs.js';
import type { Output } from '../output.js';
import { localTime } from './time.js';

/** A SHA-256 as people compare it. */
export const shortDigest = (sha256: string | null): string => (sha256 === null ? '–' : sha256.slice(0, 12));

/** Four decimals; of numbers too small or too great for them four digits. Metrics have no unit. */
export function metric(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  const size = Math.abs(value);
  return size === 0 || (size >= 0.001 && size < 100_000) ? value.toFixed(4) : String(Number(value.toPrecision(4)));
}

/** The main metric of whatever was measured, with its name. */
export function headlineText(metrics: Metrics): string | null {
  const [main] = headlineOf(metrics);
  return main === undefined ? null : `${main.title} ${metric(metrics[main.key])}`;
}

export const causeText = (cause: { kind: string; id?: string | undefined; actor?: string | undefined }): string =>
  [cause.kind, cause.id, cause.actor && `by ${cause.actor}`].filter(Boolean).join(' ');

/** Whose data a run takes. */
export const dataText = ({ environment, sample }: Pick<RunSummary, 'environment' | 'sample'>): string =>
  sample === null ? environment : `${environment}, a sample of at most ${sample.rows} rows (seed ${sample.seed})`;

/** `2 to 5 %, 1 to 95 %` reads badly; `1: 95 %, 2: 5 %` does not. */
export const splitText = (split: Route['split']): string =>
  split.map((part) => `version ${part.version}: ${part.sharePct} %`).join(', ');

/** Everything that a route does, so that nobody takes a shadow or a tester's override for nothing. */
export function servesText({ split, shadows, standby, overrides }: Pick<Route, keyof RouteTarget>): string {
  return [
    splitText(split),
    ...shadows.map(({ version, samplePct }) => `version ${version} shadows ${samplePct} %`),
    ...standby.map((version) => `version ${version} on standby`),
    ...overrides.map(
      ({ version, keys, headers }) => `version ${version} for testers (${testersText(keys.length, headers.length)})`,
    ),
  ].join('; ');
}

/** What is served after a rollout; with the reason where something has changed it since: a rollback, late labels. */
export function servedNowText(route: Route, rolloutFinishedAt: string | null): string {
  const isLater = rolloutFinishedAt !== null && Date.parse(route.at) > Date.parse(rolloutFinishedAt);
  return isLater ? `${servesText(route)}, since ${localTime(route.at)}: ${route.reason}` : servesText(route);
}

const testersText = (keys: number, headers: number): string =>
  [keys > 0 && counted(keys, 'key'), headers > 0 && counted(headers, 'header')].filter(Boolean).join(', ');

/** For example `1 request` and `2 requests`. */
export const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KiB`;
  return bytes < 1024 ** 3 ? `${(bytes / 1024 ** 2).toFixed(1)} MiB` : `${(bytes / 1024 ** 3).toFixed(2)} GiB`;
}

const good = new Set([
  'pass',
  'registered',
  'unchanged',
  'promoted',
  'completed',
  'valid',
  'released',
  'running',
  'approve',
  'ok',
]);
const bad = new Set([
  'fail',
  'failed',
  'gate-not-passed',
  'quarantined',
  'training-failed',
  'rejected',
  'expired',
  'rolled-back',
  'aborted',
  'reject',
  'data-missing',
]);

/** A state in its colour. */
export function state(output: Output, word: string | null): string {
  if (word === null) return output.colours.cyan('running');
  if (good.has(word)) return output.colours.green(word);
  return bad.has(word) ? output.colours.red(word) : output.colours.yellow(word);
}
