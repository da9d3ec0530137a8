import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import type { ListedObject, ObjectStore } from './object-store-interface.js';
import type { BucketConnection } from './bucket-connection.js';
import { checkObjectPrefix } from './object-store-key.js';

type Listing = Pick<ObjectStore, 'list' | 'folders' | 'listFolders'>;

/** What lies in the bucket, in the order of its keys. */
export function createListing({ client, bucket, attempt }: BucketConnection): Listing {
  const listing: Listing = {
    async list(prefix, { pageSize = 1000, max = Infinity } = {}) {
      checkObjectPrefix(prefix);
      const objects = new Map<string, ListedObject>();
      for await (const page of pages(prefix, { MaxKeys: Math.min(pageSize, max) })) {
        for (const object of objectsOf(page)) objects.set(object.key, object);
        if (objects.size >= max) break;
      }
      return inOrder(objects).slice(0, max);
    },

    async folders(prefix) {
      checkObjectPrefix(prefix);
      const objects = new Map<string, ListedObject>();
      const folders = new Set<string>();
      for await (const page of pages(prefix, { Delimiter: '/' })) {
        for (const object of objectsOf(page)) objects.set(object.key, object);
        for (const { Prefix = '' } of page.CommonPrefixes ?? [])
          folders.add(named(page, Prefix).slice(prefix.length, -1));
      }
      return { folders: [...folders].sort(), objects: inOrder(objects) };
    },

    async listFolders(prefix) {
      const { folders } = await listing.folders(prefix);
      return folders.map((folder) => `${prefix}${folder}/`);
    },
  };
  return listing;

  /** The pages of a listing. */
  async function* pages(
    prefix: string,
    more: { MaxKeys?: number; Delimiter?: string },
  ): AsyncGenerator<ListObjectsV2CommandOutput> {
    let token: string | undefined;
    do {
      const after = token === undefined ? {} : { ContinuationToken: token };
      // Names with control characters cannot be written in XML.
      const asked = { Bucket: bucket, Prefix: prefix, EncodingType: 'url' as const, ...more, ...after };
      const page = await attempt(`list ${prefix}`, () => client.send(new ListObjectsV2Command(asked)));
      yield page;
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }
}

/** Not every server lists in byte order. */
const inOrder = (objects: ReadonlyMap<string, ListedObject>): ListedObject[] =>
  [...objects.values()].sort((a, b) => (a.key < b.key ? -1 : 1));

const named = (page: ListObjectsV2CommandOutput, key: string): string =>
  page.EncodingType === 'url' ? decodeURIComponent(key.replaceAll('+', ' ')) : key;

/** The objects of a page; the marks that some clients leave for folders are none. */
function objectsOf(page: ListObjectsV2CommandOutput): ListedObject[] {
  return (page.Contents ?? []).flatMap(({ Key, Size, LastModified, ETag }) => {
    const key = named(page, Key ?? '');
    if (key === '' || key.endsWith('/')) return [];
    return [{ key, bytes: Size ?? 0, modifiedAt: (LastModified ?? new Date(0)).toISOString(), etag: ETag ?? '' }];
  });
}
