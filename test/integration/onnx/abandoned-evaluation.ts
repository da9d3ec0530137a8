import { readFile } from 'node:fs/promises';
import { evaluateModels } from '../../../adapters/onnx/evaluate-models.js';
import { evaluationRequestSchema } from '../../../adapters/onnx/evaluation-request.js';

/** Evaluates what the file named by the first argument asks for and prints each step: a parent for a test to kill. */
const request = evaluationRequestSchema.parse(JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')));
await evaluateModels(request, { timeoutMs: 600_000, onProgress: (step) => console.log(step) });
