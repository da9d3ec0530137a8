import { contractSchema } from '../../domain/data/contract.js';
import type { ClassName, TaskName } from '../../domain/tasks/task.js';
import { answerOf, answerShape, type Answer, type AnswerShape } from '../../serving/protocol/answer-shape.js';

/** How a version of a task answers. */
export function shapeOf(task: TaskName, label?: object, output?: object, classes?: readonly ClassName[]): AnswerShape {
  const contract = contractSchema.parse({
    ...{ entity: ['id'], eventTime: 'at', features: { x: { type: 'number' } } },
    ...(label !== undefined && { label: { name: 'y', ...label } }),
    ...(output !== undefined && { output }),
  });
  return answerShape({ task, contract }, classes);
}

export const yesOrNoShape = shapeOf('binary', { type: 'boolean' });

/** Of a version that answers yes or no. */
export const yesOrNoAnswer = (values: Float32Array, threshold?: number): Answer =>
  answerOf(yesOrNoShape, { values, width: 2 }, threshold);
