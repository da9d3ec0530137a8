import type { Interval } from '../evaluation/evaluation.js';
import type { ModelCard } from './model-card.js';

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
    '## Gates',
    ...gateSections(card),
    ...(card.slices.length > 0 ? ['## Slices', slicesTable(card)] : []),
    '## Calibration',
    table(
      ['mean score', 'observed share', 'rows'],
      card.calibration.map((point) => [point.meanScore.toFixed(3), point.observedShare.toFixed(3), `${point.rows}`]),
    ),
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
      ['Answers', `the chance of \`${output.label}\`${output.description ? `: ${output.description}` : ''}`],
      ['Threshold', `positive from ${short(output.threshold)}`],
      ['Artifact (SHA-256)', code(details.artifactSha256)],
    ],
  );
}

function dataTable({ data: { trainedOn, testedOn, positives } }: ModelCard): string {
  return table(
    ['', 'from', 'up to, not including', 'rows'],
    [
      ['Trained on', trainedOn.from, trainedOn.to, `${trainedOn.rows}`],
      ['Tested on', testedOn.from, testedOn.to, `${testedOn.rows}, ${positives} of them positive`],
    ],
  );
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
  return table(
    ['slice', 'rows', 'positives', 'rocAuc', 'logLoss', 'calibrationError'],
    slices.map(({ feature, level, rows, positives, metrics }) => [
      `${feature} ${level}`,
      `${rows}`,
      `${positives}`,
      short(metrics.rocAuc),
      short(metrics.logLoss),
      short(metrics.calibrationError),
    ]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(inline).join(' | ')} |`;
  return [line(head), `|${head.map(() => ' --- ').join('|')}|`, ...rows.map(line)].join('\n');
}

/** Text that comes from data must not become markup. */
function inline(text: string): string {
  return text
    .replace(/[\r\n]+/g, ' ')
    .replace(/[|<>]/g, (sign) => ({ '|': '\\|', '<': '&lt;', '>': '&gt;' })[sign] ?? sign);
}

function code(text: string): string {
  return `\`${text.replaceAll('`', '')}\``;
}

function range({ low, high, confidencePct }: Interval): string {
  return `${short(low)} to ${short(high)}, ${confidencePct} %`;
}

function short(value: number | null): string {
  return value === null ? 'not defined' : String(Number(value.toPrecision(4)));
}
