import { openAsBlob } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { InvalidArgumentError, type Command } from 'commander';
import { PerdureError, messageOf } from '../../domain/errors.js';
import { declaredLineageSchema, importBytesMax, importMapSchema } from '../../domain/imported-model.js';
import { describeIssues } from '../../domain/schema-issue.js';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { bytesText } from '../format/words.js';
import { actorOption } from '../global-options.js';
import { parsePartition } from '../parse/options.js';
import { requireModelName, requireVersionRef } from '../parse/version-ref.js';
import { followRun } from '../follow-run.js';

interface ImportOptions {
  evaluate?: string;
  declare?: string;
  map?: string;
  native?: string;
  parityWith?: string;
  threshold?: number;
}

/** `versions import`: a model that was made elsewhere becomes a version. */
export function registerVersionImport(versions: Command, context: CliContext): void {
  versions
    .command('import <model> <file>')
    .description(
      'import an ONNX file that was made elsewhere: checked against the contract, evaluated, gated and registered as ' +
        'any other version',
    )
    .option(
      '--evaluate <partition>',
      'the partition whose rows it is evaluated on (default: the newest)',
      parsePartition,
    )
    .option('--declare <file>', 'JSON that says where it comes from: source, author, notebook, codeRevision, …')
    .option('--map <file>', 'JSON that says which of its inputs and outputs is which of the contract’s')
    .option('--native <file>', 'ONNX file that its answers must agree with, such as the model before it was quantised')
    .option('--parity-with <version>', 'the same, of a registered version')
    .option('--threshold <chance>', 'of a binary model: the chance from which it says yes', parseChance)
    .addHelpText(
      'after',
      examples(
        'versions import prices model.onnx --declare lineage.json',
        'versions import prices model.onnx --map map.json --evaluate 2013-04',
        'versions import prices small.onnx --native model.onnx',
      ),
    )
    .action(async (modelText: string, file: string, options: ImportOptions, command: Command) => {
      const model = requireModelName(modelText);
      if (options.native !== undefined && options.parityWith !== undefined)
        throw new PerdureError('input/invalid', 'Give --native or --parity-with, not both.');
      const declared = await readJson(options.declare, '--declare', declaredLineageSchema);
      const map = await readJson(options.map, '--map', importMapSchema);
      const sent = await send(context, model, file);
      const native = await nativeOf(context, model, options);
      const [handle, { startImport }] = await Promise.all([context.temporal(), import('../../client/importing.js')]);
      const started = await startImport(handle, {
        model,
        sha256: sent.sha256,
        actor: context.actor(actorOption(command)),
        ...(declared && { declared }),
        ...(map && { map }),
        ...(native && { native }),
        ...(options.threshold !== undefined && { threshold: options.threshold }),
        ...(options.evaluate !== undefined && { until: options.evaluate }),
      });
      await followRun(context, handle, model, started);
    });
}

async function nativeOf(context: CliContext, model: string, { native, parityWith }: ImportOptions) {
  if (native !== undefined) return { sha256: (await send(context, model, native)).sha256 };
  if (parityWith === undefined) return undefined;
  const other = requireVersionRef(parityWith);
  if (other.model !== model)
    throw new PerdureError('input/invalid', `--parity-with ${parityWith}: it must be a version of ${model}.`);
  return { version: other.version };
}

async function send(context: CliContext, model: string, file: string) {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) throw new PerdureError('input/invalid', `There is no file ${file}.`, { file });
  if (found.size > importBytesMax)
    throw new PerdureError('input/too-large', `${file} is larger than the ${bytesText(importBytesMax)} of a model.`);
  context.output.progress(`sending ${file} (${bytesText(found.size)})`);
  return context.api().sendModel(model, await openAsBlob(file));
}

async function readJson<T>(
  file: string | undefined,
  option: string,
  schema: { safeParse(value: unknown): { data?: T; error?: { issues: Parameters<typeof describeIssues>[0] } } },
): Promise<T | undefined> {
  if (file === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new PerdureError('input/invalid', `${option} ${file} cannot be read as JSON: ${messageOf(error)}`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.error)
    throw new PerdureError('input/invalid', `${option} ${file}: ${describeIssues(parsed.error.issues)}`);
  return parsed.data;
}

function parseChance(text: string): number {
  const chance = Number(text);
  if (text.trim() !== '' && chance >= 0 && chance <= 1) return chance;
  throw new InvalidArgumentError('It must be a number from 0 to 1.');
}
