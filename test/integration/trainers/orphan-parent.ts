import { readFileSync } from 'node:fs';
import { runTrainer, trainerFor } from '../../../adapters/trainer/trainer.js';
import { trainerSpecSchema } from '../../../domain/training/trainer.js';

/** A parent to be killed: trains what a file describes. Arguments: project root, specification, output folder. */
const [projectRoot = '', specPath = '', outDir = ''] = process.argv.slice(2);
const spec = trainerSpecSchema.parse(JSON.parse(readFileSync(specPath, 'utf8')));
await runTrainer({
  ...trainerFor('lightgbm', projectRoot),
  spec,
  outDir,
  timeoutMs: 300_000,
  memoryMb: 2048,
  signal: new AbortController().signal,
  onProgress: ({ phase }) => process.stdout.write(`${phase}\n`),
});
