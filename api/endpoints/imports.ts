import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { definitionInForce } from '../../db/model/definition-queries.js';
import { sentModelSchema } from '../../client/http/imports.js';
import { modelNameSchema } from '../../domain/names.js';
import { objectKeys } from '../../domain/object-keys.js';
import { importBytesMax } from '../../domain/imported-model.js';
import { receiveFile } from '../data/receive-parquet.js';
import type { EndpointGroup } from '../endpoint-group.js';
import { endUpload } from './data.js';

/** `PUT /models/{model}/imports`: an ONNX file that was made elsewhere, for the workflow `importVersion` to look at. */
export const importEndpoints: EndpointGroup = (app, { db, objects, uploadFolder }) => {
  app.addContentTypeParser(
    '*',
    (_request: unknown, _payload: IncomingMessage, done: (error: null, body: null) => void) => done(null, null),
  );
  app.addHook('onResponse', async ({ raw }) => endUpload(raw));
  app.put(
    '/models/:model/imports',
    {
      schema: {
        tags: ['versions'],
        description: 'The body is one ONNX file. It is kept under its digest, and looked at when it is imported.',
        consumes: ['application/octet-stream'],
        params: z.object({ model: modelNameSchema }),
        response: { 200: sentModelSchema },
      },
    },
    async ({ params, raw, log }) => {
      await definitionInForce(db, params.model);
      const limits = { folder: uploadFolder, bytesMax: importBytesMax };
      const sent = await receiveFile(raw, limits, async ({ file, sha256, bytes }) => {
        await objects.put(objectKeys.artifact(sha256), { file });
        return { sha256, bytes };
      });
      log.info({ ...params, ...sent }, 'a model to import was sent');
      return sent;
    },
  );
};
