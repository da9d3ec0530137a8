import { z } from 'zod';
import { scheduleListSchema } from '../../client/http/schedules.js';
import { definitionInForce } from '../../db/model/definition-queries.js';
import { modelNameSchema } from '../../domain/names.js';
import type { EndpointGroup } from '../endpoint-group.js';
import { scheduleView } from '../triggers/schedule-view.js';

const ofModel = z.object({ model: modelNameSchema });

/** `GET /models/{model}/schedules`: what fires next, and which firings overlapped, were missed or came late. */
export const scheduleEndpoints: EndpointGroup = (app, { db, schedules }) => {
  app.get(
    '/models/:model/schedules',
    { schema: { tags: ['models'], params: ofModel, response: { 200: scheduleListSchema } } },
    async ({ params: { model } }) => {
      const { definition } = await definitionInForce(db, model);
      const all = definition.triggers.schedules;
      const states = await schedules.states(
        model,
        all.map((schedule) => schedule.name),
      );
      const items = await Promise.all(all.map((schedule, index) => scheduleView(db, model, schedule, states[index])));
      return { items, next: null };
    },
  );
};
