import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { columnReading } from '../../../../../adapters/data-engine/snapshot/column-type.js';
import { openDuckSession } from '../../../../../adapters/data-engine/duck-session.js';
import { quoteText } from '../../../../../adapters/data-engine/quote-sql.js';
import { utcMicros, utcText } from '../../../../../domain/data/feature/utc-micros.js';

const texts = [
  '1970-01-01T00:00:00Z',
  '1969-12-31T23:59:59.999999Z',
  '0000-01-01T00:00:00Z',
  '0099-02-28 12:30Z',
  '9999-12-31T23:59:59.999999Z',
  '2013-04-07',
  '2013-04-07T13:00',
  '2013-04-07T13:00:00.5Z',
  '2013-04-07T13:00:00.123456000Z',
  '2013-04-07T13:00:00.1234567Z',
  '2013-03-10T02:30:00-05:00',
  '2013-04-07 13:00:00 +05:30',
  '2013-04-07 13:00:00 Z',
  '2013-04-07T13:00Z',
  '2013-04-07T13:00:00+0530',
  '2013-04-07T13:00:00-08',
  '2012-02-29T00:00:00Z',
  '2013-02-29T00:00:00Z',
  '2013-13-01T00:00:00Z',
  '2013-04-31',
  '2016-12-31T23:59:60Z',
  '2016-12-31T24:00:00Z',
  '2016-12-31T24:00:01Z',
  '2016-12-31T25:00:00Z',
  '2013-04-07T13:60:00Z',
  '2013-4-7',
  'yesterday',
  '',
];

test('a time that a request sends is the one that training reads from the same text, and refused where training refuses', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'perdure-times-'));
  const session = await openDuckSession({ folder, threads: 1 });
  try {
    const { value = '' } = columnReading('timestamp', 'VARCHAR', 'text') ?? {};
    const rows = await session.rows(
      `SELECT text, CAST(epoch_us(${value}) AS VARCHAR) AS micros FROM (VALUES ${texts
        .map((text) => `(${quoteText(text)})`)
        .join(', ')}) AS texts(text)`,
      z.object({ text: z.string(), micros: z.string().nullable() }),
    );
    expect(texts.map((text) => [text, utcMicros(text)?.toString() ?? null])).toEqual(
      rows.map(({ text, micros }) => [text, micros]),
    );
  } finally {
    session.close();
    await rm(folder, { recursive: true, force: true });
  }
});

test.each(texts)('%s is written so that it is read again as the same microsecond', (text) => {
  const micros = utcMicros(text);
  if (micros !== undefined) expect(utcMicros(utcText(micros))).toBe(micros);
});
