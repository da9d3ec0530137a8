import type { Interval } from '../evaluation/evaluation.js';
import type { ModelCard } from './model-card.js';

/** The card as a Markdown page. The same card gives the same text. */
export function modelCardMarkdown(card: ModelCard): string {
  const { details, data, lineage } = card;
  const sections = [
    `# ${details.model}, version ${details.version}`,
    inline(card.intendedUse),
    '## Details',
    table(
      ['', ''],
      [
        ['Owner', details.owner],
        ['Registered', details.createdAt],
        [
          'Cause',
          [details.cause.kind, details.cause.id, details.cause.actor && `by ${details.cause.actor}`]
            .filter(Boolean)
            .join(' '),
        ],
        ['Algorithm', details.algorithm],
        [
          'Parameters',
          Object.entries(details.parameters)
            .map(([name, value]) => `${name} ${value}`)
            .join(', '),
        ],
        [
          'Answers',
          `the chance of \`${card.output.label}\`${card.output.description ? `: ${card.output.description}` : ''}`,
        ],
        ['Threshold', `positive from ${short(card.output.threshold)}`],
        ['Artifact (SHA-256)', code(details.artifactSha256)],
      ],
    ),
    '## What to know before relying on it',
    card.caveats.map((caveat) => `- ${inline(caveat)}`).join('\n'),
    '## Data',
    table(
      ['', 'from', 'up to, not including', 'rows'],
      [
        ['Trained on', data.trainedOn.from, data.trainedOn.to, `${data.trainedOn.rows}`],
        [
          'Tested on',
          data.testedOn.from,
          data.testedOn.to,
          `${data.testedOn.rows}, ${data.positives} of them positive`,
        ],
      ],
    ),
    ...(data.partitions ? [partitionsTable(data.partitions)] : []),
    '## How well it answers',
    metricsTable(card),
    '## Gates',
    table(
      ['gate', 'outcome', 'reason'],
      card.gates.results.map((gate) => [gate.name, gate.outcome, gate.reason]),
    ),
    ...(card.gates.notAsked.length > 0
      ? [card.gates.notAsked.map(({ name, reason }) => `Not asked: ${inline(name)}. ${inline(reason)}`).join('\n\n')]
      : []),
    ...(card.slices.length > 0 ? ['## Slices', slicesTable(card)] : []),
    '## Calibration',
    table(
      ['mean score', 'observed share', 'rows'],
      card.calibration.map((point) => [point.meanScore.toFixed(3), point.observedShare.toFixed(3), `${point.rows}`]),
    ),
    ...(card.featureImportances.length > 0
      ? [
          '## Features by importance',
          table(
            ['feature', 'share'],
            card.featureImportances.map(({ feature, share }) => [feature, `${(100 * share).toFixed(1)} %`]),
          ),
        ]
      : []),
    '## Inputs',
    table(
      ['input', 'type', 'may be missing', 'range', ''],
      card.inputs.map((input) => [
        input.name,
        input.type,
        input.nullable ? 'yes' : 'no',
        input.range,
        input.description,
      ]),
    ),
    '## Lineage',
    table(
      ['', ''],
      [
        ['Run', code(lineage.runId)],
        ['Snapshot', code(lineage.snapshotSha256)],
        ['Holdout', code(data.holdoutSha256)],
        ['Definition', code(lineage.definitionSha256)],
        ['Code revision', lineage.codeRevision === null ? 'not in git' : code(lineage.codeRevision)],
        ['Training environment', code(lineage.environmentSha256)],
        [
          'Libraries',
          Object.entries(lineage.libraries)
            .map(([name, version]) => `${name} ${version}`)
            .join(', '),
        ],
        ['Seed', `${lineage.seed}`],
      ],
    ),
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
