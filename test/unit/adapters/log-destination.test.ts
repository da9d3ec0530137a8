import { pino } from 'pino';
import { expect, test } from 'vitest';
import { logDestination } from '../../../adapters/log-destination.js';

test('a disk that is full costs log lines, which are counted, and nothing else', () => {
  let room = true;
  let written = '';
  // A disk takes a part of a line at times.
  const write = (_descriptor: number, bytes: Buffer, at: number) => {
    if (!room) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    written += bytes.toString('utf8', at, at + 7);
    return Math.min(7, bytes.length - at);
  };
  const log = pino({}, logDestination(1, write));
  log.info('first');
  room = false;
  log.info('lost');
  log.error('lost as well');
  room = true;
  log.info('last');
  const lines = written
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { msg: string; lost?: number });
  expect(lines.map(({ msg, lost }) => [msg, lost])).toEqual([
    ['first', undefined],
    ['log lines could not be written', 2],
    ['last', undefined],
  ]);
});
