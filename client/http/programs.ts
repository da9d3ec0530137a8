import { z } from 'zod';

export const keptProgramSchema = z.object({ sha256: z.string() });
