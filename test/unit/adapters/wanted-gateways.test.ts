import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sendGatewayAway, wantedGateways, wantGateway } from '../../../adapters/wanted-gateways.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'perdure-wanted-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

test('a gateway is wanted from the first wish until it is sent away, however often either is said', () => {
  expect(wantedGateways(path.join(home, 'nowhere'))).toEqual([]);
  for (const by of ['ada', 'bob']) wantGateway(home, 'development', by);
  wantGateway(home, 'qa', 'ada');
  expect(wantedGateways(home)).toEqual(['development', 'qa']);
  expect(readdirSync(path.join(home, 'wanted-gateways'))).toEqual(['development.json', 'qa.json']);
  for (const _ of [1, 2]) sendGatewayAway(home, 'development');
  expect(wantedGateways(home)).toEqual(['qa']);
});

test('what else lies in the folder wants nothing', () => {
  mkdirSync(path.join(home, 'wanted-gateways'));
  for (const name of ['notes.txt', 'UPPER.json', 'qa.json.17.new'])
    writeFileSync(path.join(home, 'wanted-gateways', name), '');
  expect(wantedGateways(home)).toEqual([]);
});
