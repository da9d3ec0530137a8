import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

const windowSchema = z.strictObject({ from: z.string(), to: z.string(), rows: z.int() });

/**
 * What `npm start -- --unattended` writes to `.perdure/main-job.json`. `from` is the first partition, `to` the one
 * after the last; times are ISO, UTC; durations are in milliseconds.
 */
export const mainJobReportSchema = z
  .strictObject({
    model: z.string(),
    startedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime(),
    versions: z.array(
      z.strictObject({
        version: z.int(),
        cause: z.looseObject({ kind: z.string() }),
        trainedOn: windowSchema,
        testedOn: windowSchema,
        snapshotSha256: z.string(),
        artifactSha256: z.string(),
        metrics: z.record(z.string(), z.number().nullable()),
        /** Confidence intervals of the metrics, by name. */
        intervals: z.record(
          z.string(),
          z.strictObject({ low: z.number(), high: z.number(), confidencePct: z.number() }),
        ),
        gates: z.array(
          z.strictObject({ name: z.string(), outcome: z.enum(['pass', 'fail', 'inconclusive', 'no-data']) }),
        ),
      }),
    ),
    promotions: z.array(
      z.strictObject({
        version: z.int(),
        environment: z.string(),
        state: z.string(),
        decisions: z.array(
          z.strictObject({
            actor: z.string(),
            decision: z.string(),
            at: z.iso.datetime(),
            counted: z.boolean(),
            selfApproved: z.boolean(),
          }),
        ),
        evidenceSha256: z.string().nullable(),
      }),
    ),
    routes: z.array(
      z.strictObject({
        environment: z.string(),
        epoch: z.int(),
        at: z.iso.datetime(),
        split: z.array(z.strictObject({ version: z.int(), sharePct: z.number() })),
      }),
    ),
    /** Requests answered, by version, and those that got no answer within five seconds. */
    requests: z.record(z.string(), z.int()),
    /** By step; `train` is both trainings together. */
    stepsMs: z.record(z.string(), z.number()),
  })
  .meta({ title: 'Report of the main job', description: 'Written by `npm start -- --unattended`.' });
export type MainJobReport = z.infer<typeof mainJobReportSchema>;

/** Writes the report whole or not at all. Returns its path. */
export async function writeMainJobReport(home: string, report: MainJobReport): Promise<string> {
  const file = path.join(home, 'main-job.json');
  await mkdir(home, { recursive: true });
  await writeFile(`${file}.new`, `${JSON.stringify(mainJobReportSchema.parse(report), null, 2)}\n`);
  await rename(`${file}.new`, file);
  return file;
}
