import type { Contract } from '../../domain/data/contract.js';
import type { Scores } from '../../domain/tasks/scores.js';
import { outputSignature, taskOf } from '../../domain/tasks/task-of.js';
import type { LoggedAnswers } from '../prediction-log/logged-answers.js';
import type { ClassName, OutputSignature, OutputTensor, Task, TaskName } from '../../domain/tasks/task.js';

/** One tensor of an answer, and where its values are found. */
export interface AnswerOutput extends OutputTensor {
  /** Place of its first number among the scores of a row; -1 for the predicted class. */
  from: number;
}

/** How a version's scores are told to callers: made once a version, so that a request looks nothing up. */
export interface AnswerShape {
  task: Task;
  signature: OutputSignature;
  /** As the prediction log names it. */
  logged: LoggedAnswers;
  outputs: readonly AnswerOutput[];
  /** All outputs, as text and as bytes. */
  wantedAsText: readonly WantedOutput[];
  wantedAsBytes: readonly WantedOutput[];
  /** Of each class: as JSON, and as it stands in a tensor, of texts or of numbers. */
  classTexts: readonly string[];
  classBytes: readonly Buffer[];
  /** 64 bits each as two words, the lower first; undefined where classes are texts. */
  classWords: Int32Array | undefined;
}

export interface WantedOutput extends AnswerOutput {
  binary: boolean;
}

/** What callers are told. */
export interface Answer extends Scores {
  rows: number;
  /** Place of the predicted class, one a row; undefined where there are no classes. */
  places: Int32Array | undefined;
  shape: AnswerShape;
}

/** @param classes of a version whose contract lists none */
export function answerShape(
  definition: { task?: TaskName | undefined; contract: Contract },
  classes?: readonly ClassName[],
): AnswerShape {
  const task = taskOf(definition);
  const signature = outputSignature(definition.contract, classes);
  const ofGraph = new Map<string, number>();
  let place = 0;
  for (const { name, width } of task.graphOutputs(signature)) {
    ofGraph.set(name, place);
    place += width;
  }
  const outputs = task.outputs(signature).map((output) => ({ ...output, from: ofGraph.get(output.name) ?? -1 }));
  const classBytes = signature.classes.map(bytesOfClass);
  return {
    ...{ task, signature, outputs, logged: { task: task.name, ...signature } },
    wantedAsText: outputs.map((output) => ({ ...output, binary: false })),
    wantedAsBytes: outputs.map((output) => ({ ...output, binary: true })),
    classTexts: signature.classes.map((one) => JSON.stringify(one)),
    classBytes,
    classWords: signature.classes.every((one) => typeof one === 'number') ? wordsOf(classBytes) : undefined,
  };
}

/** @param threshold of a version that answers yes or no: a row is positive from it on, as evaluation draws the line */
export function answerOf(shape: AnswerShape, { values, width }: Scores, threshold = 0.5): Answer {
  const places = shape.task.predictedClasses?.({ values, width }, threshold);
  return { values, width, rows: values.length / width, places, shape };
}

const wordsOf = (bytes: readonly Buffer[]): Int32Array =>
  Int32Array.from(bytes.flatMap((one) => [one.readInt32LE(0), one.readInt32LE(4)]));

/** Little-endian, as the protocol has it: 64 bits for a number; for a text its length, 32 bits, and its UTF-8. */
function bytesOfClass(name: ClassName): Buffer {
  if (typeof name === 'number') {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(name));
    return bytes;
  }
  const text = Buffer.from(name);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text]);
}
