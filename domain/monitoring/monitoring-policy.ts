import { z } from 'zod';

/** What is kept to watch a served model. Monitors that read it arrive with the closed loop. */
export const monitoringPolicySchema = z.strictObject({
  /** Days that prediction logs and labels are kept. */
  retentionDays: z.number().int().min(1).max(3650).default(400),
  /** How long after its prediction a label may still come. */
  labelDelayMaxDays: z.number().int().min(0).max(365).default(30),
});
export type MonitoringPolicy = z.infer<typeof monitoringPolicySchema>;
