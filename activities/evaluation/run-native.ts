import path from 'node:path';
import type { EvaluationRequest } from '../../adapters/onnx/evaluation-request.js';
import { fileSha256 } from '../../adapters/verified-file-cache.js';
import { objectKeys } from '../../domain/object-keys.js';
import type { ActivityDependencies } from '../dependencies.js';

/** What a run left to compare with: the native model's answers, or of an imported one the model itself. */
export async function runNative(
  store: ActivityDependencies['store'],
  runId: string,
  workDir: string,
): Promise<EvaluationRequest['native']> {
  const modelKey = objectKeys.runFile(runId, 'native.onnx');
  if (await store.head(modelKey)) {
    const file = path.join(workDir, 'native.onnx');
    await store.getToFile(modelKey, file);
    return { model: { path: file, sha256: await fileSha256(file) } };
  }
  const answers = path.join(workDir, 'native.parquet');
  await store.getToFile(objectKeys.runFile(runId, 'holdout-native.parquet'), answers);
  return { path: answers };
}
