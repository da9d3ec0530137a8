import { z } from 'zod';
import { routeSchema } from '../../domain/route.js';

export const routeListSchema = z.object({ routes: z.array(routeSchema) });
export type RouteList = z.infer<typeof routeListSchema>;
