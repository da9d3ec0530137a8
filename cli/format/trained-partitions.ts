import type { VersionDetail } from '../../client/http/versions.js';
import type { Output } from '../output.js';
import { table } from './table.js';
import { shortDigest } from './words.js';

const contentWords = {
  same: 'the same',
  new: 'arrived since',
  corrected: 'corrected since',
  unread: 'changed since; not read by a run yet',
  removed: 'taken away since',
} as const;

type Content = keyof typeof contentWords;

export const contentText = (content: Content): string => contentWords[content];

/** What a version was trained and tested on, and what lies in the lake now; empty where the lake did not answer. */
export function describeTrained(output: Output, { partitions }: Pick<VersionDetail, 'partitions'>): string {
  if (partitions === null || partitions.length === 0) return '';
  const rows = partitions.map(({ partition, use, rows: count, usedSha256, content }) => [
    ...[partition, use, count, usedSha256 && shortDigest(usedSha256)],
    contentText(content),
  ]);
  return `\n\n${table(output, ['partition', 'use', 'rows', 'made from', 'in the lake now'], rows)}`;
}
