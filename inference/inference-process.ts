import { openModelSession, readModelFile, type ModelSession } from '../adapters/onnx/model-session.js';
import { checkTensorInterface } from '../adapters/onnx/tensor-interface-check.js';
import type { FeatureValue } from '../domain/data/feature/feature-value.js';
import type { InputColumn } from '../domain/data/feature/input-columns.js';
import { PerdureError, messageOf } from '../domain/errors.js';
import { outputSignature, taskOf } from '../domain/tasks/task-of.js';
import type { Scores } from '../domain/tasks/scores.js';
import type { ModelSpec } from './inference-engine.js';
import { isText, packRows, type PackedRows } from './pack-rows.js';
import type { FromInference, ToInference } from './inference-messages.js';

/**
 * The program of a process that runs one model and nothing else: no secrets in its environment, an empty working
 * directory, an end when its gateway ends.
 */

type Run = (packed: PackedRows) => Promise<Scores>;

const warmRows = [1, 1, 64, 1];
let run: Run | undefined;

process.on('disconnect', () => process.exit(0));
// Signals meant for the whole group (Ctrl-C) are the gateway's to handle: it drains first and then ends this process.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('message', (message: ToInference) => void handle(message));
say({ kind: 'ready' });

function say(message: FromInference): void {
  process.send?.(message, undefined, undefined, () => undefined);
}

async function handle(message: ToInference): Promise<void> {
  if (message.kind === 'load') {
    try {
      run = await load(message.spec);
      say({ kind: 'loaded' });
    } catch (error) {
      say({
        kind: 'refused',
        code: isDigestMismatch(error) ? 'artifact/digest-mismatch' : 'artifact/refused',
        message: messageOf(error),
      });
    }
    return;
  }
  const { batch } = message;
  try {
    if (run === undefined) throw new Error('no model is loaded');
    say({ kind: 'answer', batch, ...(await run(message)) });
  } catch (error) {
    say({ kind: 'failed', batch, message: messageOf(error) });
  }
}

async function load({ key, path, sha256, promised, features, sampleRow }: ModelSpec): Promise<Run> {
  // Here and not in the gateway: reading a hostile file may take time and memory, and this process may be killed for
  // it.
  const model = await readModelFile({ path, sha256 }, key);
  checkTensorInterface(model.info, promised);
  const outputs = taskOf(promised).graphOutputs(outputSignature(promised.contract, promised.classes));
  const session = await openModelSession(model, outputs);
  const wanted = features.flatMap(({ inputs }) => inputs.map(({ name }) => name));
  const missing = wanted.filter((name) => !session.inputNames.includes(name));
  const extra = session.inputNames.filter((name) => !wanted.includes(name));
  if (missing.length + extra.length > 0) {
    throw new PerdureError(
      'artifact/refused',
      `The graph of ${key} does not match its contract: it lacks [${missing.join(', ')}] and expects ` +
        `[${extra.join(', ')}].`,
    );
  }
  const runModel = runnerOf(session, features);
  for (const rows of warmRows) {
    const columns = sampleRow.map((value) => new Array<FeatureValue>(rows).fill(value));
    try {
      await runModel(packRows(features, [{ count: rows, columns }]));
    } catch (error) {
      throw new PerdureError(
        'artifact/refused',
        `${key} cannot answer a row that satisfies its contract: ${messageOf(error)}.`,
      );
    }
  }
  return runModel;
}

function runnerOf(session: ModelSession, features: ModelSpec['features']): Run {
  return async ({ rows, numbers, strings, others }) => {
    const feeds: Record<string, InputColumn> = { ...others };
    let numberAt = 0;
    let stringAt = 0;
    for (const { name, type } of features) {
      if (type === 'number') feeds[name] = numbers.subarray(numberAt, (numberAt += rows));
      else if (isText(type)) feeds[name] = strings.slice(stringAt, (stringAt += rows));
    }
    return { values: await session.scores(feeds, rows), width: session.width };
  };
}

const isDigestMismatch = (error: unknown): boolean =>
  error instanceof PerdureError && error.code === 'artifact/digest-mismatch';
