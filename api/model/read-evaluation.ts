import type { FastifyBaseLogger } from 'fastify';
import { evaluationSchema, type Evaluation } from '../../domain/evaluation/evaluation.js';
import type { LakeStore } from '../deps.js';
import { objectText } from './object-text.js';

/**
 * An evaluation report with its slices; null, and a warning in the log, when the object store does not answer with it.
 */
export async function readEvaluation(
  objects: LakeStore,
  key: string,
  log: FastifyBaseLogger,
): Promise<Evaluation | null> {
  try {
    const text = await objectText(objects, key);
    return text === undefined ? null : evaluationSchema.parse(JSON.parse(text));
  } catch (error) {
    log.warn({ err: error, key }, 'the evaluation report could not be read');
    return null;
  }
}
