import Table from 'cli-table3';
import type { MainJobReport } from './report.js';

const plain = { head: [], border: [] };

/** The main job's result for people: versions, promotions, and the route over time. */
export function printSummary(report: MainJobReport): void {
  const versions = new Table({
    style: plain,
    head: ['version', 'trained on', 'tested on', 'ROC AUC', 'log loss', 'gates', 'requests served'],
  });
  for (const { version, trainedOn, testedOn, metrics, gates } of report.versions) {
    const passed = gates.filter((gate) => gate.outcome === 'pass').length;
    versions.push([
      version,
      span(trainedOn),
      span(testedOn),
      number(metrics['rocAuc']),
      number(metrics['logLoss']),
      `${passed} of ${gates.length} pass`,
      report.requests[String(version)] ?? 0,
    ]);
  }
  const promotions = new Table({ style: plain, head: ['promotion', 'state', 'decided by', 'evidence'] });
  for (const { version, environment, state, decisions, evidenceSha256 } of report.promotions) {
    promotions.push([
      `${report.model}@${version} to ${environment}`,
      state,
      decisions
        .filter((one) => one.counted)
        .map((one) => one.actor)
        .join(', '),
      evidenceSha256?.slice(0, 12) ?? '',
    ]);
  }
  const routes = new Table({ style: plain, head: ['epoch', 'at', 'split'] });
  for (const { environment, epoch, at, split } of report.routes) {
    routes.push([
      `${environment} ${epoch}`,
      at,
      split.map((part) => `version ${part.version}: ${part.sharePct} %`).join(', '),
    ]);
  }
  process.stdout.write(
    `\n${versions.toString()}\n${promotions.toString()}\n${routes.toString()}\nfailed predictions: ` +
      `${report.requests['failed'] ?? 0}\n`,
  );
}

const span = ({ from, to, rows }: { from: string; to: string; rows: number }): string =>
  `${from} until ${to} (${rows} rows)`;
const number = (value: number | null | undefined): string => value?.toFixed(4) ?? 'undefined';
