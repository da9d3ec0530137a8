import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { PerdureError } from '../../domain/errors.js';
import type { Evaluation } from '../../domain/evaluation/evaluation.js';
import { evaluateScores, type ScoredHoldout } from '../../domain/evaluation/evaluate-scores.js';
import { chooseThreshold } from '../../domain/evaluation/choose-threshold.js';
import { scoreColumn, type ScoredRows } from '../../domain/metrics/measurer.js';
import { seedOfDigest } from '../../domain/statistics/random.js';
import { levelsOfStrings } from '../../domain/statistics/slice-levels.js';
import { outputSignature, taskOf } from '../../domain/tasks/task-of.js';
import type { OutputSignature } from '../../domain/tasks/task.js';
import { scoreFolds, spreadOfFolds } from './fold-scores.js';
import { writeScoresFile } from '../data-engine/own-metrics/scores-file.js';
import { holdoutDigest, type DigestedFile, type EvaluationRequest } from './evaluation-request.js';
import { openHoldoutReader, type HoldoutReader } from './holdout-reader.js';
import { columnsFor, levelsOfColumns } from './holdout-columns.js';
import { permutationImportances } from './permutation-importances.js';
import { RowSample } from './row-sample.js';
import { readModelFile, type InputColumn } from './model-session.js';
import { greatestDifference, greatestDifferenceOfModels } from './parity.js';
import { scoresOfModels } from './scores-of-models.js';
import { openScorer, type Scorer } from './scorer.js';
import { checkTensorInterface, olderTensorInterfaceProblems } from './tensor-interface-check.js';

const sampledRows = 5000;

export type ReportProgress = (step: string, donePct: number) => void;

/**
 * Scores the holdout with candidate and champion and measures both. Runs in the evaluation process: it holds the event
 * loop for a batch at a time. A champion that cannot be asked is left without a comparison, with the reason.
 * Where there are folds, each row's score is that of the model that has not seen it; parity is asked of the candidate
 * all the same.
 * @throws PerdureError `artifact/refused`, `artifact/digest-mismatch`, `data/unreadable`, `data/invalid`,
 * `training/failed`
 */
export async function scoreModels(request: EvaluationRequest, report: ReportProgress): Promise<Evaluation> {
  const { contract, policy, holdout, champion: asked, native } = request;
  const task = taskOf(request);
  const signature = outputSignature(contract, request.classes);
  report('check', 0);
  for (const file of holdout) await verifyHoldout(file);
  const candidate = await openCandidate(request, signature);
  const { champion, notCompared } = await openChampion(request);
  const labelled = { task, contract, classes: signature.classes };
  const reader = await openHoldoutReader(labelled, [
    ...holdout.map((file) => file.path),
    ...(native && 'path' in native ? [native.path] : []),
  ]);
  const own = asked?.own;
  try {
    const seed = seedOfDigest(holdoutDigest(holdout));
    const sample = request.importances ? await openSample(reader, holdout, seed) : null;
    const scored = await scoreHoldout({ ...request, sample }, reader, candidate, own ? null : champion, report);
    const others = champion && own ? await scoreOwnRows(own, request, champion, scored.rows) : scored.others;
    const parityMaxDifference = await parityOf(request, reader, scored.rows, signature);
    report('measure', 0);
    const folds = request.folds && (await scoreFolds(request, reader, signature));
    const rows = folds ? { ...scored.rows, scores: folds.scores } : scored.rows;
    const threshold = thresholdOf(request, rows);
    const all: ScoredHoldout = {
      ...{ task, signature, threshold, rows, seed, slices: scored.slices },
      champion: others && alignedChampion(request, others, threshold),
    };
    if (request.scoresPath !== undefined) await writeScoresFile(request.scoresPath, scoresOfModels(all));
    const measured = evaluateScores(all, policy, (donePct) => report('measure', donePct));
    const importances =
      sample &&
      (await permutationImportances(
        { request, signature, threshold, scorer: candidate, sample, rows: scored.rows, seed },
        (donePct) => report('importances', donePct),
      ));
    return {
      holdoutSha256: holdoutDigest(holdout),
      candidateSha256: request.candidate.sha256,
      championSha256: asked?.sha256 ?? null,
      championVersion: asked?.version ?? null,
      ...(notCompared !== undefined && { notCompared }),
      ...(champion && own && { championHoldoutSha256: holdoutDigest(own.holdout) }),
      threshold: task.hasThreshold ? threshold : null,
      parityMaxDifference,
      ...(folds && { folds: spreadOfFolds(request, { rows, foldOf: folds.foldOf, signature, threshold }) }),
      ...(importances && { importances }),
      ...measured,
    };
  } finally {
    reader.close();
    await candidate.close();
    await champion?.close();
  }
}

/** How far the model is from the native one, as whoever made it left it: in answers, or in a model. */
async function parityOf(
  { native, holdout, ...request }: EvaluationRequest,
  reader: HoldoutReader,
  rows: ScoredRows,
  signature: OutputSignature,
): Promise<number | null> {
  if (!native) return null;
  const task = taskOf(request);
  const columns = task.nativeColumns(signature);
  if ('path' in native) return greatestDifference(reader, native.path, columns, rows);
  const other = await openScorer(await readModelFile(native.model), task.graphOutputs(signature));
  try {
    return await greatestDifferenceOfModels(reader, holdout, other, columns, rows);
  } finally {
    await other.close();
  }
}

/** Only runs that began before thresholds were chosen out of fold give none: for them it is chosen on these rows. */
function thresholdOf({ task, threshold, policy }: EvaluationRequest, rows: ScoredRows): number {
  if (threshold !== undefined) return threshold;
  if (typeof policy.threshold === 'number') return policy.threshold;
  if (!taskOf({ task }).hasThreshold) return 0.5;
  const chances = scoreColumn(rows, 1).map((chance) => Math.min(1, Math.max(0, chance)));
  return chooseThreshold(policy, Uint8Array.from(rows.labels), chances);
}

async function openCandidate(request: EvaluationRequest, signature: OutputSignature): Promise<Scorer> {
  const model = await readModelFile(request.candidate);
  checkTensorInterface(model.info, request);
  return openScorer(model, taskOf(request).graphOutputs(signature));
}

/** What the champion was promised to answer with; of the candidate where it has nothing of its own. */
const championOf = ({ task, contract, classes, champion }: EvaluationRequest) => ({
  task,
  contract: champion?.own?.contract ?? contract,
  classes: champion?.classes ?? classes,
});

const championSignature = (request: EvaluationRequest): OutputSignature => {
  const { contract, classes } = championOf(request);
  return outputSignature(contract, classes);
};

/** The champion, ready to be asked; or why it is not compared. Neither where there is none. */
async function openChampion(request: EvaluationRequest): Promise<{ champion: Scorer | null; notCompared?: string }> {
  const { champion } = request;
  if (!champion) return { champion: null };
  if (champion.impossible !== undefined) return { champion: null, notCompared: champion.impossible };
  const model = await readModelFile(champion);
  const problems = olderTensorInterfaceProblems(model.info, championOf(request));
  if (problems.length > 0) return { champion: null, notCompared: problems.join('; ') };
  return { champion: await openScorer(model, taskOf(request).graphOutputs(championSignature(request))) };
}

/** @throws PerdureError `data/invalid` when the rows are not those of the candidate. */
async function scoreOwnRows(
  { contract, holdout }: NonNullable<NonNullable<EvaluationRequest['champion']>['own']>,
  request: EvaluationRequest,
  champion: Scorer,
  rows: ScoredRows,
): Promise<Float32Array> {
  for (const file of holdout) await verifyHoldout(file);
  const { classes } = outputSignature(request.contract, request.classes);
  const reader = await openHoldoutReader(
    { task: taskOf(request), contract, classes },
    holdout.map((file) => file.path),
  );
  try {
    const scores: Float32Array[] = [];
    const own: Float64Array[] = [];
    for (const file of holdout) {
      for await (const batch of reader.batches(file.path)) {
        scores.push(await champion.score(batch.columns, batch.rows));
        own.push(batch.labels);
      }
    }
    const labels = own.flatMap((part) => [...part]);
    if (labels.length !== rows.labels.length || labels.some((label, row) => label !== rows.labels[row]))
      throw new PerdureError(
        'data/invalid',
        'The rows with the champion’s own features do not match the holdout. Evaluate again.',
      );
    return joined(scores, Float32Array);
  } finally {
    reader.close();
  }
}

/** Chances in the order of the candidate's classes; a class that the champion does not know gets none. */
function alignedChampion(
  request: EvaluationRequest,
  scores: Float32Array,
  threshold: number,
): ScoredHoldout['champion'] {
  const own = championSignature(request);
  const { classes } = outputSignature(request.contract, request.classes);
  const model = { threshold: request.champion?.threshold ?? threshold };
  const width = taskOf(request)
    .graphOutputs(own)
    .reduce((sum, output) => sum + output.width, 0);
  if (classes.every((one, place) => own.classes[place] === one)) return { ...model, scores, width, signature: own };
  const rows = scores.length / width;
  const aligned = new Float32Array(rows * classes.length);
  for (const [place, one] of classes.entries()) {
    const theirs = own.classes.indexOf(one);
    if (theirs === -1) continue;
    for (let row = 0; row < rows; row += 1)
      aligned[row * classes.length + place] = scores[row * width + theirs] ?? Number.NaN;
  }
  return { ...model, scores: aligned, width: classes.length, signature: { ...own, classes } };
}

async function verifyHoldout(file: DigestedFile): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file.path), hash).catch((error: unknown) => {
    throw new PerdureError('data/unreadable', `The holdout ${file.path} cannot be read: ${String(error)}`);
  });
  compareDigest(file, hash.digest('hex'));
}

function compareDigest(file: DigestedFile, found: string): void {
  if (found === file.sha256) return;
  throw new PerdureError(
    'artifact/digest-mismatch',
    `The file ${file.path} has the SHA-256 ${found}, ${file.sha256} was expected. Fetch it again.`,
  );
}

/** Of some thousands of rows, whatever the holdout's size. */
async function openSample(reader: HoldoutReader, holdout: readonly DigestedFile[], seed: number): Promise<RowSample> {
  let rows = 0;
  for (const { path } of holdout) rows += await reader.count(path);
  return new RowSample(sampledRows / Math.max(1, rows), seed);
}

async function scoreHoldout(
  request: EvaluationRequest & { sample: RowSample | null },
  reader: HoldoutReader,
  candidate: Scorer,
  champion: Scorer | null,
  report: ReportProgress,
) {
  const labels: Float64Array[] = [];
  const groups: string[] = [];
  const own: Float32Array[] = [];
  const others: Float32Array[] = [];
  const columns: Record<string, InputColumn>[] = [];
  for (const [index, file] of request.holdout.entries()) {
    report('score', (100 * index) / request.holdout.length);
    for await (const batch of reader.batches(file.path)) {
      labels.push(batch.labels);
      for (const group of batch.groups) groups.push(group);
      own.push(await candidate.score(batch.columns, batch.rows));
      if (champion) others.push(await champion.score(batch.columns, batch.rows));
      request.sample?.add(batch.columns, batch.rows, batch.groups);
      columns.push(columnsFor(request.policy.slices, batch.columns));
      report('score', (100 * (index + 0.5)) / request.holdout.length);
    }
  }
  const slices = request.policy.slices.map((feature) => levelsOfColumns(feature, columns));
  return {
    rows: {
      labels: joined(labels, Float64Array),
      scores: joined(own, Float32Array),
      width: candidate.width,
      ...(groups.length > 0 && { groups: levelsOfStrings('', groups).codes }),
    },
    others: champion ? joined(others, Float32Array) : null,
    slices,
  };
}

function joined<Values extends Float32Array | Float64Array>(
  parts: readonly Values[],
  Kind: new (length: number) => Values,
): Values {
  const all = new Kind(parts.reduce((count, part) => count + part.length, 0));
  let place = 0;
  for (const part of parts) {
    all.set(part, place);
    place += part.length;
  }
  return all;
}
