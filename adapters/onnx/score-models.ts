import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { PerdureError } from '../../domain/errors.js';
import type { Evaluation } from '../../domain/evaluation/evaluation.js';
import { evaluateScores } from '../../domain/statistics/evaluate-scores.js';
import { seedOfDigest } from '../../domain/statistics/random.js';
import { levelsOfNumbers, levelsOfStrings, type SliceLevels } from '../../domain/statistics/slice-levels.js';
import { holdoutDigest, type DigestedFile, type EvaluationRequest } from './evaluation-request.js';
import { openHoldoutReader, type HoldoutReader } from './holdout-reader.js';
import { readModelFile, type InputColumn } from './model-session.js';
import { openScorer, type Scorer } from './scorer.js';
import { checkTensorInterface, olderTensorInterfaceProblems } from './tensor-interface-check.js';

export type ReportProgress = (step: string, donePct: number) => void;

/**
 * Scores the holdout with candidate and champion and measures both. Runs in the evaluation process: it holds the event
 * loop for a batch at a time. A champion that cannot be asked is left without a comparison, with the reason.
 * @throws PerdureError `artifact/refused`, `artifact/digest-mismatch`, `data/unreadable`, `data/invalid`,
 * `training/failed`
 */
export async function scoreModels(request: EvaluationRequest, report: ReportProgress): Promise<Evaluation> {
  const { contract, policy, holdout } = request;
  report('check', 0);
  for (const file of holdout) await verifyHoldout(file);
  const candidate = await openCandidate(request);
  const { champion, notCompared } = await openChampion(request);
  const reader = await openHoldoutReader(contract, [
    ...holdout.map((file) => file.path),
    ...(request.native ? [request.native.path] : []),
  ]);
  const own = request.champion?.own;
  try {
    const scored = await scoreHoldout(request, reader, candidate, own ? null : champion, report);
    if (champion && own) scored.champion = await scoreOwnRows(own, champion, scored.labels);
    const parityMaxDifference = await parityOf(request, reader, scored.candidate);
    report('measure', 0);
    const seed = seedOfDigest(holdoutDigest(holdout));
    const measured = evaluateScores(
      { ...scored, seed, championThreshold: request.champion?.threshold },
      policy,
      (donePct) => report('measure', donePct),
    );
    return {
      holdoutSha256: holdoutDigest(holdout),
      candidateSha256: request.candidate.sha256,
      championSha256: request.champion?.sha256 ?? null,
      championVersion: request.champion?.version ?? null,
      ...(notCompared !== undefined && { notCompared }),
      ...(champion && own && { championHoldoutSha256: holdoutDigest(own.holdout) }),
      parityMaxDifference,
      ...measured,
    };
  } finally {
    reader.close();
    await candidate.close();
    await champion?.close();
  }
}

async function openCandidate({ candidate, contract }: EvaluationRequest): Promise<Scorer> {
  const model = await readModelFile(candidate);
  checkTensorInterface(model.info, { contract });
  return openScorer(model);
}

/** The champion, ready to be asked; or why it is not compared. Neither where there is none. */
async function openChampion({
  champion,
  contract,
}: EvaluationRequest): Promise<{ champion: Scorer | null; notCompared?: string }> {
  if (!champion) return { champion: null };
  if (champion.impossible !== undefined) return { champion: null, notCompared: champion.impossible };
  const model = await readModelFile(champion);
  const problems = olderTensorInterfaceProblems(model.info, { contract: champion.own?.contract ?? contract });
  if (problems.length > 0) return { champion: null, notCompared: problems.join('; ') };
  return { champion: await openScorer(model) };
}

/** @throws PerdureError `data/invalid` when the rows are not those of the candidate. */
async function scoreOwnRows(
  { contract, holdout }: NonNullable<NonNullable<EvaluationRequest['champion']>['own']>,
  champion: Scorer,
  labels: Uint8Array,
): Promise<Float64Array> {
  for (const file of holdout) await verifyHoldout(file);
  const reader = await openHoldoutReader(
    contract,
    holdout.map((file) => file.path),
  );
  try {
    const scores: Float64Array[] = [];
    const own: Uint8Array[] = [];
    for (const file of holdout) {
      for await (const batch of reader.batches(file.path)) {
        scores.push(await champion.score(batch.columns, batch.rows));
        own.push(batch.labels);
      }
    }
    if (Buffer.compare(Buffer.concat(own), labels) !== 0)
      throw new PerdureError(
        'data/invalid',
        'The rows with the champion’s own features do not match the holdout. Evaluate again.',
      );
    return joined(scores);
  } finally {
    reader.close();
  }
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

async function scoreHoldout(
  request: EvaluationRequest,
  reader: HoldoutReader,
  candidate: Scorer,
  champion: Scorer | null,
  report: ReportProgress,
) {
  const labels: Uint8Array[] = [];
  const own: Float64Array[] = [];
  const others: Float64Array[] = [];
  const sliced = new Map<string, InputColumn[]>(request.policy.slices.map((feature) => [feature, []]));
  for (const [index, file] of request.holdout.entries()) {
    report('score', (100 * index) / request.holdout.length);
    for await (const batch of reader.batches(file.path)) {
      labels.push(batch.labels);
      own.push(await candidate.score(batch.columns, batch.rows));
      if (champion) others.push(await champion.score(batch.columns, batch.rows));
      for (const [feature, columns] of sliced) columns.push(batch.columns[feature] ?? []);
      report('score', (100 * (index + 0.5)) / request.holdout.length);
    }
  }
  const slices = [...sliced].map(([feature, columns]) => levelsOf(feature, columns, request));
  return {
    labels: new Uint8Array(Buffer.concat(labels)),
    candidate: joined(own),
    champion: champion ? joined(others) : null,
    slices,
  };
}

function levelsOf(feature: string, columns: readonly InputColumn[], { contract }: EvaluationRequest): SliceLevels {
  if (contract.features[feature]?.type !== 'number')
    return levelsOfStrings(
      feature,
      columns.flatMap((column) => [...column].map(String)),
    );
  return levelsOfNumbers(feature, Float32Array.from(columns.flatMap((column) => [...column].map(Number))));
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((rows, part) => rows + part.length, 0));
  let place = 0;
  for (const part of parts) {
    all.set(part, place);
    place += part.length;
  }
  return all;
}

async function parityOf(
  { native }: EvaluationRequest,
  reader: HoldoutReader,
  scores: Float64Array,
): Promise<number | null> {
  if (!native) return null;
  const probabilities = await reader.numbers(native.path, native.column);
  if (probabilities.length !== scores.length) {
    throw new PerdureError(
      'training/failed',
      `The trainer wrote ${probabilities.length} native probabilities for ${scores.length} holdout rows.`,
    );
  }
  let greatest = 0;
  for (const [row, score] of scores.entries()) {
    const difference = Math.abs(score - (probabilities[row] ?? Number.NaN));
    if (!Number.isFinite(difference))
      throw new PerdureError(
        'training/failed',
        `The native model's probability of holdout row ${row} is not a number.`,
      );
    greatest = Math.max(greatest, difference);
  }
  return scores.length === 0 ? null : greatest;
}
