import { createHash } from 'node:crypto';
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { PerdureError, messageOf } from '../../domain/errors.js';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { requireVersionRef } from '../parse/version-ref.js';

/** `versions export`: everything that a version is, as files that need nothing of Perdure. */
export function registerVersionExport(versions: Command, context: CliContext): void {
  versions
    .command('export <version>')
    .description('export a version into a folder: model.onnx, card, evaluation, definition, lineage and SHA-256 sums')
    .option('--out <folder>', 'the folder, which must not exist yet (default: MODEL-N)')
    .addHelpText(
      'after',
      examples('versions export flight-delay@2', 'versions export flight-delay@2 --out /tmp/flight-delay-2'),
    )
    .action(async (text: string, { out }: { out?: string }) => {
      const { model, version } = requireVersionRef(text);
      const folder = path.resolve(out ?? `${model}-${version}`);
      if (await exists(folder))
        throw new PerdureError(
          'state/conflict',
          `--out: ${folder} already exists. Name another folder, or remove it.`,
          { folder },
        );
      const api = context.api();
      const detail = await api.version(model, version);
      const [artifact, card, cardJson, definition] = await Promise.all([
        api.artifact(model, version),
        api.card(model, version, 'md'),
        api.card(model, version, 'json'),
        api.definition(detail.definitionSha256),
      ]);
      if (digest(artifact) !== detail.artifactSha256)
        throw new PerdureError(
          'artifact/digest-mismatch',
          `The bytes received of ${text} do not have SHA-256 ${detail.artifactSha256}. Export it again.`,
        );
      const { evaluation, ...record } = detail;
      const files: Record<string, Uint8Array | string> = {
        'model.onnx': artifact,
        'card.md': card,
        'card.json': cardJson,
        'definition.json': definition,
        'version.json': `${JSON.stringify(record, null, 2)}\n`,
        ...(evaluation && { 'evaluation.json': `${JSON.stringify(evaluation, null, 2)}\n` }),
      };
      files['SHA256SUMS'] = Object.entries(files)
        .map(([name, content]) => `${digest(content)}  ${name}\n`)
        .join('');
      // Whole or not at all: a folder that is there has been written to its end.
      const unfinished = `${folder}.unfinished-${process.pid}`;
      try {
        await mkdir(unfinished, { recursive: true });
        for (const [name, content] of Object.entries(files)) await writeFile(path.join(unfinished, name), content);
        await rename(unfinished, folder);
      } catch (error) {
        await rm(unfinished, { recursive: true, force: true });
        throw new PerdureError('input/invalid', `--out: ${folder} cannot be written: ${messageOf(error)}`);
      }
      context.output.result(
        { model, version, folder, files: Object.keys(files), artifactSha256: detail.artifactSha256 },
        `Wrote ${Object.keys(files).join(', ')} to ${folder}.`,
      );
    });
}

const digest = (content: Uint8Array | string): string => createHash('sha256').update(content).digest('hex');

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
