import { z } from 'zod';
import { scheduleListSchema } from '../../client/http/schedules.js';
import { definitionInForce } from '../../db/model/definition-queries.js';
import { modelNameSchema } from '../../domain/names.js';
import { pageByName } from '../../db/page.js';
import { pageQuerySchema, type EndpointGroup } from '../endpoint-group.js';
import { scheduleView } from '../triggers/schedule-view.js';

const ofModel = z.object({ model: modelNameSchema });

/** `GET /models/{model}/schedules`: what fires next, and which firings overlapped, were missed or came late. */
export const scheduleEndpoints: EndpointGroup = (app, { db, schedules }) => {
  app.get(
    '/models/:model/schedules',
    {
      schema: {
        tags: ['models'],
        params: ofModel,
        querystring: pageQuerySchema,
        response: { 200: scheduleListSchema },
      },
    },
    async ({ params: { model }, query }) => {
      const { definition } = await definitionInForce(db, model);
      const { items: shown, next } = pageByName(definition.triggers.schedules, query);
      const states = await schedules.states(
        model,
        shown.map((schedule) => schedule.name),
      );
      const items = await Promise.all(shown.map((schedule, index) => scheduleView(db, model, schedule, states[index])));
      return { items, next };
    },
  );
};
