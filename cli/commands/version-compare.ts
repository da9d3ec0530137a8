import type { Command } from 'commander';
import type { VersionDetail } from '../../client/http/versions.js';
import { PerdureError } from '../../domain/errors.js';
import { inReportOrder } from '../../domain/metrics/metric-catalogue.js';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { table } from '../format/table.js';
import { localTime } from '../format/time.js';
import { causeText, metric, shortDigest, state } from '../format/words.js';
import type { Output } from '../output.js';
import { requireVersionRef } from '../parse/version-ref.js';

/** `versions compare`: what tells versions of a model apart. */
export function registerVersionCompare(versions: Command, context: CliContext): void {
  versions
    .command('compare <version> <others...>')
    .description('compare versions side by side: data, parameters, metrics, gates')
    .addHelpText(
      'after',
      examples(
        'versions compare flight-delay@1 flight-delay@2',
        'versions compare flight-delay@1 flight-delay@2 --json',
      ),
    )
    .action(async (first: string, others: string[]) => {
      const api = context.api();
      const refs = [first, ...others].map(requireVersionRef);
      if (new Set(refs.map(({ model }) => model)).size > 1)
        throw new PerdureError(
          'input/invalid',
          'Versions of one model can be compared: other models predict something else.',
        );
      const compared = await Promise.all(
        refs.map(async ({ model, version }) => {
          const detail = await api.version(model, version);
          return {
            ...detail,
            definition: JSON.parse(await api.definition(detail.definitionSha256)) as Record<string, unknown>,
          };
        }),
      );
      const different = differences(compared.map(({ definition }) => definition));
      context.output.result({ versions: compared.map(({ definition: _, ...one }) => one), definition: different }, () =>
        describeComparison(context.output, compared, different),
      );
    });
}

function describeComparison(
  output: Output,
  versions: readonly VersionDetail[],
  different: ReturnType<typeof differences>,
): string {
  const head = versions.map(({ model, version }) => `${model}@${version}`);
  const row = (name: string, cell: (one: VersionDetail) => string | number | null) => [name, ...versions.map(cell)];
  const sameTest = new Set(versions.map(({ evaluation }) => evaluation?.holdoutSha256)).size === 1;
  const parts = [
    table(
      output,
      ['', ...head],
      [
        row('registered', (one) => localTime(one.createdAt)),
        row('cause', (one) => causeText(one.cause)),
        row(
          'trained on',
          (one) =>
            one.trainedOn && `${one.trainedOn.from} to ${one.trainedOn.to} (exclusive), ${one.trainedOn.rows} rows`,
        ),
        row('tested on', (one) => one.testedOn && `${one.testedOn.from}, ${one.testedOn.rows} rows`),
        row('snapshot', (one) => shortDigest(one.snapshotSha256)),
        row('artifact', (one) => shortDigest(one.artifactSha256)),
        row(
          'served',
          (one) => one.serving.map((place) => `${place.environment} ${place.sharePct} %`).join(', ') || 'nowhere',
        ),
      ],
    ),
    table(
      output,
      ['metric', ...head],
      inReportOrder([...new Set(versions.flatMap((one) => Object.keys(one.metrics)))]).map((name) =>
        row(name, (one) => metric(one.metrics[name])),
      ),
    ),
    table(
      output,
      ['gate', ...head],
      [...new Set(versions.flatMap(({ gates }) => gates.map(({ name }) => name)))].map((name) =>
        row(name, (one) => {
          const found = one.gates.find((gate) => gate.name === name);
          return found ? state(output, found.outcome) : null;
        }),
      ),
    ),
    different.length === 0
      ? 'Their definitions are the same.'
      : table(
          output,
          ['definition', ...head],
          different.map(({ path, values }) => [
            path,
            ...values.map((value) => (value === undefined ? null : JSON.stringify(value))),
          ]),
        ),
  ];
  if (!sameTest)
    parts.push(
      'They were tested on different rows: their metrics cannot be compared with each other. A promotion ' +
        'compares on the same rows.',
    );
  return parts.join('\n\n');
}

/** The leaves in which plain values differ, by path. */
export function differences(
  values: readonly unknown[],
  path: readonly string[] = [],
): { path: string; values: unknown[] }[] {
  const objects = values.filter(
    (value): value is Record<string, unknown> => value !== null && typeof value === 'object' && !Array.isArray(value),
  );
  if (objects.length === values.length) {
    const names = [...new Set(objects.flatMap((one) => Object.keys(one)))].toSorted();
    return names.flatMap((name) =>
      differences(
        objects.map((one) => (Object.hasOwn(one, name) ? one[name] : undefined)),
        [...path, name],
      ),
    );
  }
  const texts = new Set(values.map((value) => JSON.stringify(value)));
  return texts.size === 1 ? [] : [{ path: path.join('.'), values: [...values] }];
}
