import { parseModelDefinition } from '../../domain/model/parse-definition.js';
import { type ModelDefinition } from '../../domain/model/model-definition.js';
import flightDelay from '../../models/flight-delay/model.js';
import { modelNames, type GrowthShape } from './shape.js';

/**
 * The flights model under many names, promoted to every environment; its schedules are paused, so that none fires while
 * others measure.
 */
export const growthDefinitions = (shape: GrowthShape): ModelDefinition[] =>
  modelNames(shape).map((name) =>
    parseModelDefinition({
      ...flightDelay,
      name,
      promotion: { ...flightDelay.promotion, environments: shape.environments.toReversed() },
      triggers: { schedules: flightDelay.triggers.schedules.map((schedule) => ({ ...schedule, paused: true })) },
    }),
  );
