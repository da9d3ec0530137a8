import { z } from 'zod';
import { keptProgramSchema } from '../../client/http/programs.js';
import { canonicalJson } from '../../domain/canonical-json.js';
import { PerdureError } from '../../domain/errors.js';
import { sha256Schema } from '../../domain/names.js';
import { objectKeys } from '../../domain/object-keys.js';
import { programArchiveSchema, programDigest, programLimits } from '../../domain/training/program-archive.js';
import type { EndpointGroup } from '../endpoint-group.js';

/** As base64 in JSON, with names and quotes. */
const bodyBytesMax = programLimits.bytesMax * 2;

/** `PUT /programs/{sha256}`: a trainer program of a team's own, kept under its digest for definitions that name it. */
export const programEndpoints: EndpointGroup = (app, { objects }) => {
  app.put(
    '/programs/:sha256',
    {
      bodyLimit: bodyBytesMax,
      schema: {
        tags: ['models'],
        params: z.object({ sha256: sha256Schema }),
        body: programArchiveSchema,
        response: { 200: keptProgramSchema },
      },
    },
    async ({ params: { sha256 }, body }) => {
      const found = programDigest(body);
      if (found !== sha256)
        throw new PerdureError('input/invalid', `The program's digest is ${found}, not ${sha256}. Send it again.`);
      await objects.put(objectKeys.trainerProgram(sha256), canonicalJson(body), { contentType: 'application/json' });
      return { sha256 };
    },
  );
};
