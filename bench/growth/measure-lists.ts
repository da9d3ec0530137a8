import { z } from 'zod';
import type { Figure } from '../figures/figure.js';
import { nodeStartMs, type GrowthStack } from './growth-stack.js';
import { measured } from './measure.js';
import { modelName, type GrowthShape } from './shape.js';

/**
 * What every list and status may take: the API's answer, and a command from its start to its end less Node's own start.
 */
const limitMs = 300;
/** `doctor` is a diagnosis: it loads a client of every server, and asks each server, gateway and open workflow. */
const diagnosisLimitMs = 2_000;
const apiRounds = 15;
const commandRounds = 5;

/**
 * Every list and status of the API and of the command line, on the newest model, whose history is as long as that of
 * all.
 */
export async function measureLists(
  stack: GrowthStack,
  shape: GrowthShape,
  rollout: string,
  promotion: string,
): Promise<Figure[]> {
  const model = modelName(shape, shape.models);
  const version = shape.versions;
  const api = `${stack.file.addresses.api}/api/v1`;
  const get = async (path: string): Promise<string> => {
    const response = await fetch(`${api}${path}`);
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text.slice(0, 300)}`);
    return text;
  };
  const middle = await placeInTheMiddle(get, shape);
  const paths: [name: string, path: string][] = [
    ['models', '/models?limit=500'],
    ['model', `/models/${model}`],
    ['versions', `/models/${model}/versions?limit=500`],
    ['version', `/models/${model}/versions/${version}`],
    ['runs', '/runs?limit=500'],
    ['runs-in-the-middle', `/runs?limit=50${middle}`],
    ['runs-of-model', `/runs?model=${model}`],
    ['promotions', '/promotions?limit=500'],
    ['promotions-of-environment', '/promotions?environment=staging'],
    ['promotions-open', '/promotions?open=true'],
    ['promotion', `/promotions/${promotion}`],
    ['rollouts', '/rollouts?limit=500'],
    ['rollouts-of-model', `/rollouts?model=${model}&environment=production`],
    ['rollout', `/rollouts/${rollout}`],
    ['routes', '/routes?limit=500'],
    ['routes-of-model', `/models/${model}/routes`],
    [
      'routes-a-while-ago',
      `/models/${model}/routes?at=${new Date((shape.from.getTime() + shape.to.getTime()) / 2).toISOString()}`,
    ],
    ['routes-history', `/models/${model}/routes/history?limit=500`],
    ['gateways', '/gateways'],
    ['gateway-events', '/gateways/events'],
    ['traffic', `/models/${model}/traffic`],
    ['quarantine', '/quarantine'],
    ['data', `/models/${model}/data`],
    ['schedules', `/models/${model}/schedules`],
    ['health', '/health'],
  ];
  const figures: Figure[] = [];
  for (const [name, path] of paths)
    figures.push(
      await measured({
        name: `growth.api.${name}`,
        title: `GET ${path.slice(0, 60)}`,
        limitMs,
        rounds: apiRounds,
        once: () => get(path),
      }),
    );
  return [...figures, ...(await measureCommands(stack, model))];
}

async function measureCommands(stack: GrowthStack, model: string): Promise<Figure[]> {
  const figures: Figure[] = [];
  const commands = [
    ['models', 'ls'],
    ['models', 'show', model],
    ['versions', 'ls', model],
    ['runs', 'ls'],
    ['runs', 'ls', model],
    ['promotions', 'ls'],
    ['promotions', 'ls', '--open'],
    ['rollout', 'status', model],
    ['routes', 'ls'],
    ['routes', 'show', model],
    ['routes', 'show', model, '--history'],
    ['quarantine', 'ls'],
    ['data', 'ls', model],
    ['schedules', 'ls', model],
    ['status'],
    ['doctor'],
  ];
  for (const argv of commands) {
    const words = argv.map((word) => (word === model ? 'MODEL' : word.replace(/^--/, '')));
    const [name, title] = [`growth.command.${words.join('-')}`, `perdure ${argv.join(' ')}, less Node's start`];
    figures.push(
      await measured({
        ...{ name, title, rounds: commandRounds, lessMs: nodeStartMs, once: () => stack.perdure(...argv) },
        limitMs: argv[0] === 'doctor' ? diagnosisLimitMs : limitMs,
      }),
    );
  }
  return figures;
}

/** The query of a page half-way through all runs: it must cost what the first one does. */
async function placeInTheMiddle(
  get: (path: string) => Promise<string>,
  { models, versions }: GrowthShape,
): Promise<string> {
  let place = '';
  for (let seen = 0; seen < (models * versions) / 2; seen += 500) {
    const { next } = pageSchema.parse(JSON.parse(await get(`/runs?limit=500${place}`)));
    if (next === null) break;
    place = `&after=${next}`;
  }
  return place;
}

const pageSchema = z.looseObject({ next: z.string().nullable() });
