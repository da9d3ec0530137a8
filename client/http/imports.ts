import { z } from 'zod';

export const sentModelSchema = z.object({ sha256: z.string(), bytes: z.number().int() });
