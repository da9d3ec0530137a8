import { describe, expect, it } from 'vitest';
import {
  defaultEnvironment,
  environmentProblems,
  knownEnvironment,
} from '../../../../domain/promotion/environments.js';
import { parseModelDefinition } from '../../../../domain/model/parse-definition.js';
import { readDefinition } from '../../../../domain/model/model-definition.js';
import { environmentSchema } from '../../../../domain/names.js';
import flightDelay from '../../../../models/flight-delay/model.js';
import repeatPurchase from '../../../../models/repeat-purchase/model.js';
import { ENVIRONMENTS, gatewayVariables, loadPerdureConfig } from '../../../../perdure.config.js';

const listed = ['dev', 'qa', 'pre-prod', 'live'].map((name) => ({ name }));
const setting = (name: string, rest: number) => ({
  name,
  gateway: 'always' as const,
  ports: { rest, grpc: rest + 1 },
  data: { kind: 'all' as const },
  floor: {},
});

describe('the list of environments', () => {
  it('is development, staging and production where nobody says otherwise, each at its own ports', () => {
    const { environments } = loadPerdureConfig({});
    expect(environments.map(({ name, gateway, port, grpcPort }) => [name, gateway, port, grpcPort])).toEqual([
      ['development', 'on-demand', 7414, 7415],
      ['staging', 'always', 7412, 7413],
      ['production', 'always', 7410, 7411],
    ]);
    expect(environments.map(({ data }) => data.kind)).toEqual(['sample', 'snapshot', 'all']);
  });

  it('may be another, whose ports have variables by its names', () => {
    const environments = [setting('pre-prod', 9000), setting('live', 9002)];
    const given = {
      PERDURE_HOST: '10.0.0.7',
      PERDURE_GATEWAY_PRE_PROD_PORT: '9100',
      PERDURE_GATEWAY_LIVE_GRPC_PORT: '1',
    };
    expect(loadPerdureConfig(given, environments).environments).toMatchObject([
      { name: 'pre-prod', url: 'http://10.0.0.7:9100', grpcAddress: '10.0.0.7:9001' },
      { name: 'live', url: 'http://10.0.0.7:9002', grpcAddress: '10.0.0.7:1' },
    ]);
    expect(Object.keys(loadPerdureConfig({}, environments).floors.configured)).toEqual(['pre-prod', 'live']);
    expect(() => loadPerdureConfig({ PERDURE_GATEWAY_LIVE_PORT: 'many' }, environments)).toThrow(
      /PERDURE_GATEWAY_LIVE_PORT/,
    );
  });

  it.each([
    ['none', [], /ENVIRONMENTS in perdure.config.ts/],
    ['one twice', [setting('live', 1), setting('live', 3)], /\[1\].name: live is listed twice/],
    ['a name that no key or variable could hold', [setting('Live_1', 1)], /lower-case/],
    ['a name whose variable is that of a gRPC port', [setting('live', 1), setting('live-grpc', 3)], /ends in grpc/],
  ])('is refused with %s', (_, environments, message) => {
    expect(() => loadPerdureConfig({}, environments)).toThrow(message);
  });

  it('gives each environment two variables of its own', () => {
    const variables = ENVIRONMENTS.flatMap(({ name }) => Object.values(gatewayVariables(name)));
    expect(new Set(variables).size).toBe(2 * ENVIRONMENTS.length);
  });
});

describe('an environment that is asked for', () => {
  it('is found, or refused with those that there are', () => {
    expect(knownEnvironment(listed, 'qa')).toEqual({ name: 'qa' });
    expect(() => knownEnvironment(listed, 'staging')).toThrow(
      'environment: there is no environment staging: perdure.config.ts lists dev, qa, pre-prod, live.',
    );
  });

  it('is production where none is named, or the last of a list without it', () => {
    expect(defaultEnvironment(ENVIRONMENTS)).toBe('production');
    expect(defaultEnvironment([...ENVIRONMENTS].reverse())).toBe('production');
    expect(defaultEnvironment(listed)).toBe('live');
  });

  it.each(['production', 'pre-prod', 'eu1'])('may be called %s', (name) => {
    expect(environmentSchema.parse(name)).toBe(name);
  });

  it.each(['', 'Production', '../x', 'a/b', '-a', 'a'.repeat(32)])('may not be called %j', (name) => {
    expect(environmentSchema.safeParse(name).success).toBe(false);
  });
});

describe('the environments of a definition', () => {
  it('follow the order of the list, some left out or none', () => {
    for (const named of [['dev'], ['dev', 'live'], ['qa', 'pre-prod'], ['dev', 'qa', 'pre-prod', 'live']])
      expect(environmentProblems(named, listed)).toEqual([]);
    for (const { promotion } of [flightDelay, repeatPurchase])
      expect(environmentProblems(promotion.environments, ENVIRONMENTS)).toEqual([]);
  });

  it('in another order are refused, with which comes first', () => {
    expect(environmentProblems(['dev', 'live', 'qa'], listed)).toEqual([
      {
        path: 'promotion.environments',
        message: expect.stringContaining('live would serve a version before qa does: list qa first') as string,
      },
    ]);
    expect(environmentProblems(['production', 'staging'], ENVIRONMENTS)).toMatchObject([
      { message: expect.stringContaining('list staging first') as string },
    ]);
  });

  it('that are not listed are each refused by place', () => {
    expect(environmentProblems(['dev', 'produktion', 'live', 'nowhere'], listed)).toMatchObject([
      { path: 'promotion.environments[1]', message: expect.stringContaining('dev, qa, pre-prod, live') as string },
      { path: 'promotion.environments[3]' },
    ]);
  });

  it('are still read where the list has them no more', () => {
    const stored = parseModelDefinition({ ...flightDelay, promotion: { environments: ['gone', 'production'] } });
    expect(readDefinition(stored).promotion.environments).toEqual(['gone', 'production']);
  });
});
