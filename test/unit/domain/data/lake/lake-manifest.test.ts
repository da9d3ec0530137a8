import { describe, expect, test } from 'vitest';
import {
  countLake,
  planPut,
  planRemoval,
  type PlaceManifest,
  type LyingObject,
  type UncountedObject,
} from '../../../../../domain/data/lake/lake-manifest.js';

const at = '2024-05-01T00:00:00.000Z';
const lying = (key: string, etag = key): LyingObject => ({ key, etag, bytes: 1, modifiedAt: at, prefix: 'p/' });
const named = (key: string, etag = key) => ({ key, etag, bytes: 1, sha256: 'f'.repeat(64) });
const place = (...keys: string[]): PlaceManifest => ({
  ...{ prefix: 'p/', generation: 3, actor: 'ada', at: new Date(at) },
  files: keys.map((key) => named(key)),
});
const removed: PlaceManifest = { ...place(), files: null };
const superseded = (key: string, etag = key): UncountedObject => ({ key, etag, modifiedAt: at, since: new Date(at) });
const landing = (key: string): UncountedObject => ({ key, etag: null, modifiedAt: null, since: new Date(at) });
const keysOf = (objects: readonly { key: string }[]) => objects.map(({ key }) => key);

describe('what counts in a place', () => {
  test('that nobody put into is what lies there', () => {
    expect(keysOf(countLake([lying('a'), lying('b')], { places: [], uncounted: [] }).counted)).toEqual(['a', 'b']);
  });

  test('with a manifest is what it names and nothing else: the rest lies beside it, or is on its way in or out', () => {
    const recorded = { places: [place('a')], uncounted: [superseded('old'), landing('new')] };
    const count = countLake([lying('a'), lying('old'), lying('new'), lying('by-hand')], recorded);
    expect(keysOf(count.counted)).toEqual(['a']);
    expect(keysOf(count.beside)).toEqual(['by-hand']);
    expect(count.broken).toEqual([]);
  });

  test('with a manifest that names what is gone or overwritten is told apart', () => {
    const { counted, broken } = countLake([lying('b', 'other')], { places: [place('a', 'b')], uncounted: [] });
    expect(counted).toEqual([]);
    expect(broken.map(({ key, how }) => `${key} ${how}`)).toEqual(['a gone', 'b overwritten']);
  });

  test('that was removed is what came since: also a file that was put again under its old key', () => {
    const recorded = { places: [removed], uncounted: [superseded('a'), superseded('b', 'before')] };
    expect(keysOf(countLake([lying('a'), lying('b'), lying('c')], recorded).counted)).toEqual(['b', 'c']);
    const again = { ...lying('a'), modifiedAt: '2024-06-01T00:00:00.000Z' };
    expect(keysOf(countLake([again], recorded).counted)).toEqual(['a']);
  });
});

describe('a put', () => {
  test('takes the place of all that lies there, and leaves what others are landing', () => {
    const recorded = { places: [place('a')], uncounted: [landing('theirs'), landing('new')] };
    const there = [lying('a'), lying('by-hand'), lying('theirs'), lying('new')];
    const put = planPut(there, recorded, [named('new')], { append: false });
    expect(keysOf(put.files)).toEqual(['new']);
    expect(keysOf(put.superseded)).toEqual(['a', 'by-hand']);
  });

  test('that appends keeps what counts, takes in nothing that lies beside it, and supersedes nothing', () => {
    const recorded = { places: [place('a')], uncounted: [landing('new')] };
    const put = planPut([lying('a'), lying('by-hand'), lying('new')], recorded, [named('new')], { append: true });
    expect(keysOf(put.files)).toEqual(['a', 'new']);
    expect(put.superseded).toEqual([]);
    const byFiles = planPut(
      [lying('by-hand'), lying('new')],
      { places: [], uncounted: [landing('new')] },
      [named('new')],
      {
        append: true,
      },
    );
    expect(byFiles.files.map(({ key, sha256 }) => [key, sha256 === null])).toEqual([
      ['by-hand', true],
      ['new', false],
    ]);
  });

  test('and a removal never name what was superseded before', () => {
    const recorded = { places: [place('a')], uncounted: [superseded('old')] };
    expect(keysOf(planRemoval([lying('a'), lying('old')], recorded).superseded)).toEqual(['a']);
  });
});
