import type { Command } from 'commander';
import type { Passport } from '../../client/http/gateway-client.js';
import type { OverrideCause } from '../../domain/serving/prediction-log-columns.js';
import type { CliContext } from '../context.js';
import { examples } from '../examples.js';
import { table } from '../format/table.js';
import { localTime } from '../format/time.js';
import { splitText } from '../format/words.js';
import { environmentOption, type EnvironmentChoice } from '../parse/options.js';

/** `predictions show`: the passport of one prediction. */
export function registerPredictions(program: Command, context: CliContext): void {
  const predictions = program.command('predictions').description('what gateways answered');
  predictions
    .command('show <id>')
    .description('show a prediction: what was answered, why by that version, and who approved it')
    .addOption(environmentOption())
    .option('--key <key>', 'the caller’s key, to see which share it falls in: logs hold only its hash')
    .addHelpText(
      'after',
      examples(
        'predictions show p-mwqckfsq-a9299a97-4',
        'predictions show p-mwqckfsq-a9299a97-5.2 --key customer-7 --json',
      ),
    )
    .action(async (id: string, { env, key }: EnvironmentChoice & { key?: string }) => {
      const { output } = context;
      const passport = await (await context.gateway(env)).passport(id, key);
      output.result(passport, () => table(output, ['', ''], linesOf(passport)));
    });
}

const causeText: Record<OverrideCause, string> = {
  version: 'this version was requested by number',
  key: 'the key is a tester’s',
  header: 'a header is a tester’s',
  'stand-in': 'fallback for a version that is out of service',
  'stand-in/contract': 'fallback for a version whose contract refuses this request',
  'stand-in/failure': 'fallback for a version that could not answer this request',
};
const unknownCause =
  'this version was requested, or the key or a header is a tester’s, or it is the fallback for one out of service';

/** As one line: of a model that says yes or no its label first, and lists as they are. */
function answerText({ latency_ms: _latency, ...outputs }: Passport['answer']): string {
  const { label, probability } = outputs;
  if (label !== undefined) return `${JSON.stringify(label)}, probability ${JSON.stringify(probability)}`;
  return Object.entries(outputs)
    .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
    .join(', ');
}

function linesOf({ why, answer, outcome, registered, promotion, card, ...rest }: Passport): (string | number)[][] {
  const approvers = promotion?.approvedBy.map(({ actor }) => actor).join(', ') || 'nobody';
  const point = why.point === null ? '' : ` at ${why.point.toFixed(2)}`;
  const stretch = why.stretch === null ? '' : `, ${why.stretch.from} to ${why.stretch.to} is this version's`;
  return [
    ['prediction', rest.prediction_id],
    [
      'answered',
      `${localTime(rest.at)} in ${answer.latency_ms} ms by ${rest.model}@${rest.version} in ${rest.environment}`,
    ],
    ['answer', answerText(answer)],
    ['outcome', outcome === null ? 'not known yet' : `${outcome.label}, received ${localTime(outcome.received_at)}`],
    ['features', JSON.stringify(rest.features)],
    [
      'why',
      why.role === 'override'
        ? `override: ${why.cause === null ? unknownCause : causeText[why.cause]}`
        : `${why.role}, by ${why.by}${point}${stretch}`,
    ],
    [
      'route',
      why.route === null
        ? `epoch ${rest.epoch}`
        : `epoch ${rest.epoch}: ${splitText(why.route.split)}; ${why.route.reason}`,
    ],
    ['run', registered.runId],
    ['snapshot', registered.snapshotSha256],
    ['artifact', registered.artifactSha256],
    ['approved by', promotion === null ? 'no promotion' : approvers],
    ['card', `${card.api}${card.sha256 === null ? '' : ` (SHA-256 ${card.sha256})`}`],
  ];
}
