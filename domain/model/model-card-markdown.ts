import type { Interval } from '../metrics/measured.js';
import { headlineOf } from '../tasks/headline.js';
import { taskOf } from '../tasks/task-of.js';
import { markdownCode as code, markdownTable as table, markdownText as inline } from '../text/markdown.js';
import { shortNumber } from '../text/short-number.js';
import { originRows } from './origin-rows.js';
import type { ModelCard } from './model-card.js';
import { pictureSections } from './model-card-pictures.js';

/** The card as a Markdown page. The same card gives the same text. */
export function modelCardMarkdown(card: ModelCard): string {
  const sections = [
    `# ${card.details.model}, version ${card.details.version}`,
    inline(card.intendedUse),
    '## Details',
    detailsTable(card),
    '## What to know before relying on it',
    card.caveats.map((caveat) => `- ${inline(caveat)}`).join('\n'),
    '## Data',
    dataTable(card),
    ...(card.data.partitions ? [partitionsTable(card.data.partitions)] : []),
    '## How well it answers',
    metricsTable(card),
    ...(card.folds ? [`## Over ${card.folds.rows.length} folds`, foldsTable(card.folds)] : []),
    '## Gates',
    ...gateSections(card),
    ...(card.slices.length > 0 ? ['## Slices', slicesTable(card)] : []),
    ...pictureSections(card),
    ...(card.featureImportances.length > 0 ? ['## Features by importance', importancesTable(card)] : []),
    '## Inputs',
    inputsTable(card),
    '## Lineage',
    lineageTable(card),
  ];
  return `${sections.join('\n\n')}\n`;
}

/** What `versions show` compares with what lies in the lake now. */
function partitionsTable(partitions: NonNullable<ModelCard['data']['partitions']>): string {
  return table(
    ['partition', 'use', 'rows', 'made from'],
    partitions.map(({ partition, use, rows, inputsSha256 }) => [partition, use, `${rows}`, inputsSha256.slice(0, 12)]),
  );
}

function detailsTable({ details, output }: ModelCard): string {
  const { kind, id, actor } = details.cause;
  const parameters = Object.entries(details.parameters).map(([name, value]) => `${name} ${value}`);
  return table(
    ['', ''],
    [
      ['Owner', details.owner],
      ['Registered', details.createdAt],
      ['Cause', [kind, id, actor && `by ${actor}`].filter(Boolean).join(' ')],
      ['Algorithm', details.algorithm],
      ['Parameters', parameters.join(', ')],
      ['Task', taskOf(output).title],
      ['Answers', `${answerText(output)}${output.description ? `: ${output.description}` : ''}`],
      ...(output.threshold === null ? [] : [['Threshold', `positive from ${short(output.threshold)}`]]),
      ['Artifact (SHA-256)', code(details.artifactSha256)],
    ],
  );
}

const answerText = (output: ModelCard['output']): string => taskOf(output).answers(code(output.label));

function dataTable({ data: { trainedOn, testedOn, positives, groups } }: ModelCard): string {
  const counted = [
    positives === undefined ? '' : `, ${positives} of them positive`,
    groups === undefined ? '' : `, in ${groups} groups with a relevant one`,
  ].join('');
  return table(
    ['', 'from', 'up to, not including', 'rows'],
    [
      ['Trained on', trainedOn.from, trainedOn.to, `${trainedOn.rows}`],
      ['Tested on', testedOn.from, testedOn.to, `${testedOn.rows}${counted}`],
    ],
  );
}

function foldsTable({ metrics }: NonNullable<ModelCard['folds']>): string {
  const rows = Object.entries(metrics).map(([key, { mean, sd, min, max }]) => [
    ...[key, short(mean), short(sd), short(min), short(max)],
  ]);
  return table(['metric', 'mean', 'standard deviation', 'least', 'greatest'], rows);
}

function gateSections({ gates: { results, notAsked } }: ModelCard): string[] {
  const asked = table(
    ['gate', 'outcome', 'reason'],
    results.map((gate) => [gate.name, gate.outcome, gate.reason]),
  );
  if (notAsked.length === 0) return [asked];
  return [asked, notAsked.map(({ name, reason }) => `Not evaluated: ${inline(name)}. ${inline(reason)}`).join('\n\n')];
}

function importancesTable({ featureImportances }: ModelCard): string {
  return table(
    ['feature', 'share'],
    featureImportances.map(({ feature, share }) => [feature, `${(100 * share).toFixed(1)} %`]),
  );
}

function inputsTable({ inputs }: ModelCard): string {
  return table(
    ['input', 'type', 'may be missing', 'range', ''],
    inputs.map(({ name, type, nullable, range: values, description }) => [
      ...[name, type, nullable ? 'yes' : 'no', values, description],
    ]),
  );
}

function lineageTable({ lineage, data }: ModelCard): string {
  const libraries = Object.entries(lineage.libraries).map(([name, version]) => `${name} ${version}`);
  return table(
    ['', ''],
    [
      ['Run', code(lineage.runId)],
      ['Snapshot', code(lineage.snapshotSha256)],
      ['Holdout', code(data.holdoutSha256)],
      ['Definition', code(lineage.definitionSha256)],
      ['Code revision', lineage.codeRevision === null ? 'not in git' : code(lineage.codeRevision)],
      ['Training environment', code(lineage.environmentSha256)],
      ...originRows(lineage),
      ['Libraries', libraries.join(', ')],
      ['Seed', `${lineage.seed}`],
    ],
  );
}

function metricsTable({ metrics, championVersion }: ModelCard): string {
  const compared = championVersion !== null;
  const head = [
    'metric',
    'value',
    'interval',
    ...(compared ? [`version ${championVersion} on the same rows`, 'difference'] : []),
  ];
  const rows = metrics.map(({ name, value, interval, champion, difference }) => {
    const against = [
      short(champion),
      difference ? `${short(difference.estimate)} (${range(difference.interval)})` : 'not defined',
    ];
    return [name, short(value), interval ? range(interval) : 'not defined', ...(compared ? against : [])];
  });
  return table(head, rows);
}

function slicesTable({ slices }: ModelCard): string {
  const shown = headlineOf(slices[0]?.metrics ?? {});
  const counted = slices.some(({ positives }) => positives !== undefined);
  return table(
    ['slice', 'rows', ...(counted ? ['positives'] : []), ...shown.map(({ key }) => key)],
    slices.map(({ feature, level, rows, positives, metrics }) => [
      ...[`${feature} ${level}`, `${rows}`],
      ...(counted ? [`${positives ?? ''}`] : []),
      ...shown.map(({ key }) => short(metrics[key])),
    ]),
  );
}

function range({ low, high, confidencePct }: Interval): string {
  return `${short(low)} to ${short(high)}, ${confidencePct} %`;
}

function short(value: number | null = null): string {
  return value === null ? 'not defined' : shortNumber(value);
}
