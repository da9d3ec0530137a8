import type { LakeListing } from '../../client/http/data.js';
import { sharedOwner } from '../../domain/data/lake/lake-owner.js';
import type { Output } from '../output.js';
import { table } from './table.js';
import { contentText } from './trained-partitions.js';
import { localTime } from './time.js';
import { bytesText, shortDigest, state } from './words.js';

const strayFilesShown = 20;

/**
 * `data ls` for people: what landed, what validation said of it, what the last run was given, and what nothing reads.
 */
export function describeLake(output: Output, listing: LakeListing): string {
  const { model } = listing;
  const rows = listing.tables.flatMap((one) => landedRows(one));
  const notRead = notReadTable(output, listing);
  if (rows.length === 0) {
    const first = listing.tables[0]?.table ?? 'TABLE';
    return (
      `Nothing has landed for ${model} yet. Land a file: perdure data put ${model} ${first} FILE ` +
      `--partition PARTITION${notRead}`
    );
  }
  const landed = table(output, ['table', 'partition', 'files', 'size', 'landed', 'ruled by'], rows);
  const validated = listing.validations.map((one) => [one.partition, state(output, one.state), one.rows, one.summary]);
  const said =
    model === sharedOwner
      ? table(
          output,
          ['table', 'read by'],
          listing.tables.map((one) => [one.table, one.readBy?.join(', ') ?? null]),
        )
      : validated.length > 0
        ? table(output, ['partition', 'validation', 'rows', 'says'], validated)
        : `Not validated by a run yet: perdure train ${model}`;
  const more = listing.next === null ? '' : `\n\nEarlier partitions: perdure data ls ${model} --before ${listing.next}`;
  return `${landed}\n\n${said}${trainedTable(output, listing)}${notRead}${more}`;
}

/** What landed, one place an object: the newest partitions first, then the tables without partitions. */
export function landedItems({ tables }: LakeListing) {
  const landed = tables.flatMap(({ table: name, partitions }) => partitions.map((one) => ({ table: name, ...one })));
  const whole = tables
    .filter(({ partitioned, files }) => !partitioned && files > 0)
    .map(({ table: name, files, bytes }) => ({ table: name, partition: null, files, bytes }));
  return [...landed.toSorted((left, right) => (left.partition < right.partition ? 1 : -1)), ...whole];
}

function landedRows(one: LakeListing['tables'][number]): (string | number | null)[][] {
  const name = one.shared === true && one.readBy === undefined ? `${one.table} (shared)` : one.table;
  if (!one.partitioned)
    return one.files > 0 ? [[name, 'whole table', one.files, bytesText(one.bytes), null, null]] : [];
  return one.partitions.map(({ partition, files, bytes, newestAt, ruledBy, putBy, generation }) => [
    ...[name, partition, files, bytesText(bytes), newestAt && localTime(newestAt)],
    ruledBy === 'manifest' ? `manifest ${generation} by ${putBy}` : 'its files',
  ]);
}

function trainedTable(output: Output, { trained }: LakeListing): string {
  if (!trained || trained.partitions.length === 0) return '';
  const rows = trained.partitions.map(({ partition, content, usedSha256, nowSha256 }) => [
    ...[partition, contentText(content)],
    ...[usedSha256 && shortDigest(usedSha256), nowSha256 && shortDigest(nowSha256)],
  ]);
  return (
    `\n\n${table(output, ['partition', 'against the last result', 'it used', 'now'], rows)}\nThe last ` +
    `result: run ${trained.runId}, ${localTime(trained.startedAt)}`
  );
}

function notReadTable(output: Output, { notRead: { files, first } }: LakeListing): string {
  if (files === 0) return '';
  const more = files > strayFilesShown ? [['…', `${files - strayFilesShown} more`]] : [];
  const strays = first.slice(0, strayFilesShown).map(({ key, problem }) => [key, problem]);
  return `\n\n${table(output, ['not read', 'because'], [...strays, ...more])}`;
}
