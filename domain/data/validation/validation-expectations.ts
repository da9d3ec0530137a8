import type { DataPolicy } from '../data-policy.js';
import type { PartitionSummary } from '../snapshot/snapshot-summary.js';
import type { ValidationIssue } from './validation-report.js';

const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/**
 * Compares a partition with the ones before it: rows against their mean, shares against their rows taken together.
 * Without earlier partitions nothing is expected. Limits are inclusive.
 */
export function checkExpectations(question: {
  expectations: DataPolicy['expectations'];
  current: PartitionSummary;
  previous: readonly PartitionSummary[];
}): ValidationIssue[] {
  const { expectations, current } = question;
  const previous = question.previous.filter(({ rows }) => rows > 0);
  if (previous.length === 0 || current.rows === 0) return [];
  const issues: ValidationIssue[] = [];
  const earlier =
    previous.length === 1 ? `partition ${previous[0]?.partition}` : `the ${previous.length} earlier partitions`;
  const earlierRows = sum(previous.map(({ rows }) => rows));

  const mean = earlierRows / previous.length;
  const ratio = current.rows / mean;
  if (ratio < expectations.volumeRatioMin || ratio > expectations.volumeRatioMax) {
    issues.push({
      rule: 'volume',
      table: null,
      column: null,
      message:
        `${current.rows} rows are ${ratio.toFixed(2)} times the ${Math.round(mean)} rows of ` +
        `${earlier}; expected ${expectations.volumeRatioMin} to ${expectations.volumeRatioMax} times.`,
      rows: current.rows,
      examples: [],
    });
  }

  const labelRate = current.positives / current.rows;
  const earlierRate = sum(previous.map(({ positives }) => positives)) / earlierRows;
  if (Math.abs(labelRate - earlierRate) * 100 > expectations.labelRateChangeMaxPct) {
    issues.push({
      rule: 'label-rate',
      table: null,
      column: null,
      message:
        `${percent(labelRate)} of the labels are positive, against ${percent(earlierRate)} in ` +
        `${earlier}; the rate may change by ${expectations.labelRateChangeMaxPct} percentage points.`,
      rows: current.positives,
      examples: [],
    });
  }

  for (const column of current.profile) {
    const known = previous.flatMap(({ rows, profile }) =>
      profile.filter(({ name }) => name === column.name).map(({ nulls }) => ({ rows, nulls })),
    );
    if (known.length === 0) continue;
    const share = column.nulls / current.rows;
    const earlierShare = sum(known.map(({ nulls }) => nulls)) / sum(known.map(({ rows }) => rows));
    if ((share - earlierShare) * 100 <= expectations.nullShareRiseMaxPct) continue;
    issues.push({
      rule: 'null-share',
      table: null,
      column: column.name,
      message:
        `${column.name} is null in ${percent(share)} of the rows, against ${percent(earlierShare)} ` +
        `in ${earlier}; the share may rise by ${expectations.nullShareRiseMaxPct} percentage points.`,
      rows: column.nulls,
      examples: [],
    });
  }
  return issues;
}
