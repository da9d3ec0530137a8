import { parseArgs } from 'node:util';

export interface BenchOptions {
  json: boolean;
  help: boolean;
  /** Names of scenarios, or their beginnings; empty for all that are not run on request only. */
  only: string[];
  rounds: number;
  /** Of each stretch of load. */
  seconds: number;
  /** Requests a second of the scenarios that watch latency during an event. */
  rate: number;
  /** Predictions of the memory scenario. */
  predictions: number;
  /** Of the scenario "growth". */
  models: number;
  /** Of each model. */
  versions: number;
  months: number;
  /** Predictions a day of each model in each environment. */
  perDay: number;
  /** Leave what was filled where it is. */
  keep: boolean;
}

export const usage = `npm run bench [-- options]

  Measures the gateway beside a floor: bare node:http and onnxruntime-node in one process, the same model,
  the same load. docs/performance.md says what the figures mean.

  --only NAME          run this scenario, or all whose name begins so; may be given several times
  --rounds N           pairs of stretches a scenario (7)
  --seconds N          length of each stretch (4)
  --rate N             requests a second of the scenarios "event.…" (500)
  --predictions N      of the scenario "memory", which runs only when it is named (10000000)
  --models N           of the scenario "growth", which runs only when it is named (100)
  --versions N         of each of its models (100)
  --months N           that lie behind it (12)
  --per-day N          its predictions a day of each model in each environment (50)
  --keep               leave its state folder, to look into it with PERDURE_HOME and perdure up
  --json               one JSON object a line on stdout instead of the table
  --help               this text, and the scenarios
`;

/** @throws TypeError or RangeError that says which argument is wrong. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string', default: '7' },
      seconds: { type: 'string', default: '4' },
      rate: { type: 'string', default: '500' },
      predictions: { type: 'string', default: '10000000' },
      models: { type: 'string', default: '100' },
      versions: { type: 'string', default: '100' },
      months: { type: 'string', default: '12' },
      'per-day': { type: 'string', default: '50' },
      keep: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    json: values.json,
    help: values.help,
    only: values.only,
    rounds: positive('--rounds', values.rounds, true),
    seconds: positive('--seconds', values.seconds, false),
    rate: positive('--rate', values.rate, false),
    predictions: positive('--predictions', values.predictions, true),
    models: positive('--models', values.models, true),
    versions: Math.max(2, positive('--versions', values.versions, true)),
    months: positive('--months', values.months, true),
    perDay: positive('--per-day', values['per-day'], true),
    keep: values.keep,
  };
}

function positive(name: string, text: string, whole: boolean): number {
  const value = Number(text);
  if (!(value > 0) || value > 1e9 || (whole && !Number.isInteger(value))) {
    throw new RangeError(`${name} is ${JSON.stringify(text)}. Give a ${whole ? 'whole ' : ''}number above 0.`);
  }
  return value;
}
