import type { Command } from 'commander';
import { PerdureError } from '../../domain/errors.js';
import { inReportOrder } from '../../domain/metrics/metric-catalogue.js';
import { headlineOf } from '../../domain/tasks/headline.js';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { describeTrained } from '../format/trained-partitions.js';
import { gateTable } from '../format/gate-table.js';
import { fields, table } from '../format/table.js';
import { localTime } from '../format/time.js';
import { causeText, dataText, metric, shortDigest } from '../format/words.js';
import { originRows } from '../../domain/model/origin-rows.js';
import type { VersionDetail } from '../../client/http/versions.js';
import { Option } from 'commander';
import { addPageOptions, pageQuery, showPage, type PageOptions } from '../list-page.js';
import type { Output } from '../output.js';
import { registerVersionArchive } from './version-archive.js';
import { registerVersionCompare } from './version-compare.js';
import { registerVersionImport } from './version-import.js';
import { registerVersionExport } from './version-export.js';
import { modelOrVersion, requireModelName } from '../parse/version-ref.js';

/** `versions ls|show|compare|export|import|archive|unarchive`: the registry. */
export function registerVersions(program: Command, context: CliContext): void {
  const versions = program.command('versions').description('registered model versions');
  registerVersionCompare(versions, context);
  registerVersionExport(versions, context);
  registerVersionArchive(versions, context);
  registerVersionImport(versions, context);

  addPageOptions(versions.command('ls <model>'))
    .description("list a model's versions, the newest first")
    .option('--all', 'archived ones too')
    .addHelpText('after', examples('versions ls flight-delay', 'versions ls flight-delay --all --limit 100'))
    .action(async (modelText: string, { all, ...options }: { all?: true } & PageOptions) => {
      const { output } = context;
      const model = requireModelName(modelText);
      const page = await context.api().versions(model, { unarchived: all === undefined, ...pageQuery(options) });
      showPage(output, page, (found) => {
        if (found.length === 0)
          return all
            ? `${model} has no version yet. Train one: perdure train ${model} --wait`
            : `${model} has only archived versions (--all lists them). Train one: perdure train ` + `${model} --wait`;
        const shown = headlineOf(found[0]?.metrics ?? {});
        const rows = found.map((one) => [
          `${one.model}@${one.version}`,
          localTime(one.createdAt),
          causeText(one.cause),
          one.trainedOn && `${one.trainedOn.from} – ${one.testedOn?.from ?? one.trainedOn.to}`,
          ...shown.map(({ key }) => metric(one.metrics[key])),
          one.archived
            ? 'archived'
            : one.serving.map((place) => `${place.environment} ${place.sharePct} %`).join(', ') || null,
        ]);
        return table(
          output,
          ['version', 'registered', 'cause', 'trained – tested', ...shown.map(({ title }) => title), 'served'],
          rows,
        );
      });
    });

  versions
    .command('show <version>')
    .description("print a version's model card; MODEL alone means the newest")
    .addOption(
      new Option('--format <format>', 'card: the model card; table: metrics, gates and lineage')
        .choices(['card', 'table'])
        .default('card'),
    )
    .addHelpText(
      'after',
      examples(
        'versions show flight-delay@2',
        'versions show flight-delay --format table',
        'versions show flight-delay@2 --json',
      ),
    )
    .action(async (text: string, { format }: { format: 'card' | 'table' }) => {
      const api = context.api();
      const { model, version: named } = modelOrVersion(text);
      const version = named ?? (await api.versions(model, { limit: 1 })).items[0]?.version;
      if (version === undefined)
        throw new PerdureError('not-found', `${model} has no version yet. Train one: perdure train ${model} --wait`, {
          model,
        });
      const detail = await api.version(model, version);
      const card =
        format === 'card' && !context.output.json ? await api.card(model, version, 'md').catch(absent) : undefined;
      context.output.result(detail, () => {
        const partitions = describeTrained(context.output, detail);
        return card === undefined ? `${describeVersion(context.output, detail)}${partitions}` : `${card}${partitions}`;
      });
    });
}

/** A card is written right after its version; until then the table stands in for it. */
function absent(error: unknown): undefined {
  if (error instanceof PerdureError && error.code === 'not-found') return undefined;
  throw error;
}

function describeVersion(output: Output, version: VersionDetail): string {
  const { data } = version.lineage;
  const window = (one: VersionDetail['trainedOn']) => one && `${one.from} to ${one.to} (exclusive), ${one.rows} rows`;
  const parts = [
    fields([
      ['version', `${version.model}@${version.version}`],
      ['registered', localTime(version.createdAt)],
      ['cause', causeText(version.cause)],
      ['run', version.runId],
      ['data', dataText({ environment: data?.environment ?? 'production', sample: data?.sample ?? null })],
      ['trained on', window(version.trainedOn)],
      ['tested on', window(version.testedOn)],
      ...(version.evaluation?.threshold === null
        ? []
        : [['threshold', `true from ${metric(version.threshold)}`] as const]),
      ['artifact', version.artifactSha256],
      ['snapshot', version.snapshotSha256],
      ['definition', version.definitionSha256],
      ['code', version.lineage.codeRevision],
      ...originRows(version.lineage),
      ...(version.archived
        ? [
            [
              'archived',
              `${localTime(version.archived.at)} by ${version.archived.actor}: ${version.archived.reason}`,
            ] as const,
          ]
        : []),
      ['served', version.serving.map((place) => `${place.environment} ${place.sharePct} %`).join(', ') || 'nowhere'],
    ]),
    table(
      output,
      ['metric', 'value'],
      inReportOrder(Object.keys(version.metrics)).map((name) => [name, metric(version.metrics[name])]),
    ),
    gateTable(output, version.gates),
  ];
  const slices = version.evaluation?.slices ?? [];
  if (slices.length > 0) {
    const shown = headlineOf(version.metrics);
    const [main] = shown;
    const rows = slices.map(({ feature, level, scored }) => [
      `${feature} = ${level}`,
      scored.rows,
      ...shown.map(({ key }) => metric(scored.metrics[key])),
      main === undefined ? null : shortDelta(scored.metrics[main.key], version.metrics[main.key]),
    ]);
    parts.push(table(output, ['slice', 'rows', ...shown.map(({ title }) => title), 'against all'], rows));
  }
  return `${parts.join('\n\n')}\n\nartifact ${shortDigest(version.artifactSha256)} at ${version.artifactKey}`;
}

const shortDelta = (value: number | null | undefined, all: number | null | undefined): string | null =>
  typeof value === 'number' && typeof all === 'number' ? `${value < all ? '' : '+'}${(value - all).toFixed(4)}` : null;
