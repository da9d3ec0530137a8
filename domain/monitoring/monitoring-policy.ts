import { z } from 'zod';

/** What is kept to watch a served model, and for how long. */
export const monitoringPolicySchema = z.strictObject({
  /** Days that prediction logs and labels are kept. */
  retentionDays: z.number().int().min(1).max(3650).default(400),
  /** How long after its prediction a label may still come. */
  labelDelayMaxDays: z.number().int().min(0).max(365).default(30),
});
export type MonitoringPolicy = z.infer<typeof monitoringPolicySchema>;

const dayMs = 86_400_000;

/** Whether a label comes longer after its prediction than the policy waits for one. */
export const isLateLabel = ({ labelDelayMaxDays }: MonitoringPolicy, predictedAt: Date, receivedAt: Date): boolean =>
  receivedAt.getTime() - predictedAt.getTime() > labelDelayMaxDays * dayMs;

/** Whether a prediction is so old that the log no longer keeps it. */
export const isBeyondRetention = ({ retentionDays }: MonitoringPolicy, predictedAt: Date, now: Date): boolean =>
  now.getTime() - predictedAt.getTime() > retentionDays * dayMs;
