import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { checkModel, defaultModelLimits } from '../adapters/onnx/model-check.js';
import { checkSignature } from '../adapters/onnx/signature-check.js';
import type { Scores } from './scores.js';
import type { ModelSpec } from './inference-engine.js';
import type { FromInference, ToInference } from './inference-messages.js';

/**
 * The program of a process that runs one model and nothing else: no secrets in its environment, an empty working
 * directory, an end when its gateway ends.
 */

class Refused extends Error {
  constructor(
    readonly code: 'artifact/refused' | 'artifact/digest-mismatch',
    message: string,
  ) {
    super(message);
  }
}

type Run = (rows: number, numbers: Float32Array, strings: string[]) => Promise<Scores>;

const warmRows = [1, 1, 64, 1];
/** Every label is true or false. */
const classes = 2;
/** Rounding may carry a converted model's probability this far out of [0, 1], as evaluation allows it. */
const slack = 1e-5;
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
        code: error instanceof Refused ? error.code : 'artifact/refused',
        message: messageOf(error),
      });
    }
    return;
  }
  const { batch, rows, numbers, strings } = message;
  try {
    if (run === undefined) throw new Error('no model is loaded');
    say({ kind: 'answer', batch, ...(await run(rows, numbers, strings)) });
  } catch (error) {
    say({ kind: 'failed', batch, message: messageOf(error) });
  }
}

async function load({ key, path, sha256, contract, features, sampleRow }: ModelSpec): Promise<Run> {
  const { size } = await stat(path);
  if (size > defaultModelLimits.bytesMax)
    throw new Refused(
      'artifact/refused',
      `The artifact of ${key} has ${size} bytes, ${defaultModelLimits.bytesMax} are allowed.`,
    );
  const bytes = await readFile(path);
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== sha256)
    throw new Refused(
      'artifact/digest-mismatch',
      `The artifact of ${key} has the digest ${digest} instead of ${sha256}.`,
    );
  // Here and not in the gateway: reading a hostile file may take time and memory, and this process may be killed for
  // it.
  checkSignature(checkModel(bytes), contract);
  const session = await InferenceSession.create(bytes, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 3,
  });
  const wanted = features.map((feature) => feature.name);
  const missing = wanted.filter((name) => !session.inputNames.includes(name));
  const extra = session.inputNames.filter((name) => !wanted.includes(name));
  if (missing.length + extra.length > 0) {
    throw new Refused(
      'artifact/refused',
      `The graph of ${key} does not fit its contract: it lacks [${missing.join(', ')}] and asks for ` +
        `[${extra.join(', ')}].`,
    );
  }
  for (const output of ['label', 'probabilities']) {
    if (!session.outputNames.includes(output))
      throw new Refused('artifact/refused', `The graph of ${key} has no output called ${output}.`);
  }
  const runModel = runnerOf(session, features);
  for (const rows of warmRows) {
    const numbers = features.flatMap(({ type }, index) =>
      type === 'number' ? new Array<number>(rows).fill(Number(sampleRow[index])) : [],
    );
    const strings = features.flatMap(({ type }, index) =>
      type === 'string' ? new Array<string>(rows).fill(String(sampleRow[index])) : [],
    );
    try {
      await runModel(rows, Float32Array.from(numbers), strings);
    } catch (error) {
      throw new Refused(
        'artifact/refused',
        `${key} cannot answer a row that satisfies its contract: ${messageOf(error)}.`,
      );
    }
  }
  return runModel;
}

function runnerOf(session: InferenceSession, features: ModelSpec['features']): Run {
  return async (rows, numbers, strings) => {
    const feeds: Record<string, Tensor> = {};
    const shape = [rows, 1];
    let numberAt = 0;
    let stringAt = 0;
    for (const { name, type } of features) {
      if (type === 'number') feeds[name] = new Tensor('float32', numbers.subarray(numberAt, (numberAt += rows)), shape);
      else feeds[name] = new Tensor('string', strings.slice(stringAt, (stringAt += rows)), shape);
    }
    // Its own label is not asked for: the version's threshold draws the line.
    const { probabilities } = await session.run(feeds, ['probabilities']);
    const scores = probabilities?.data;
    if (!(scores instanceof Float32Array) || scores.length !== rows * classes)
      throw new Error(`probabilities are not FP32 of shape [${rows}, ${classes}]`);
    for (const score of scores) {
      if (!(score >= -slack && score <= 1 + slack)) throw new Error(`${score} stands where a probability is due`);
    }
    return { probabilities: scores, classes };
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
