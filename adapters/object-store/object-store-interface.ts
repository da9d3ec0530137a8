/**
 * An S3 bucket. Every operation but `ping` is retried up to three times when the server is away or answers 5xx. All
 * throw PerdureError: `server/unreachable` with the endpoint, `access/denied`, `not-found`, `input/invalid` for an
 * impossible key.
 */
export interface ObjectStore {
  readonly endpoint: string;
  readonly bucket: string;
  /**
   * Stores an object, replacing what is there. With `ifNoneMatch` it must be new.
   * @throws PerdureError `state/conflict`.
   */
  put(key: string, content: ObjectContent, options?: PutOptions): Promise<{ sha256: string; bytes: number }>;
  /**
   * Stores an object that never changes. The same content again does nothing.
   * @throws PerdureError `state/conflict` for other content.
   */
  putImmutable(
    key: string,
    content: ObjectContent,
    options?: Pick<PutOptions, 'contentType'>,
  ): Promise<{ sha256: string; bytes: number; created: boolean }>;
  get(key: string): Promise<Uint8Array>;
  /**
   * Downloads to a temporary name beside `file`, checks the digest if one is given, flushes to disk and renames: `file`
   * is whole or absent.
   * @throws PerdureError `artifact/digest-mismatch`.
   */
  getToFile(key: string, file: string, expected?: { sha256?: string }): Promise<{ sha256: string; bytes: number }>;
  /** Undefined when there is no such object. */
  head(key: string): Promise<ObjectInfo | undefined>;
  /**
   * All objects whose key starts with `prefix`, in ascending order of their keys; with `max` so many of them, and no
   * more is asked for.
   */
  list(prefix: string, options?: { pageSize?: number; max?: number }): Promise<ListedObject[]>;
  /**
   * What lies directly below a prefix that ends with a slash: the objects, and the names of the folders, each in
   * ascending order.
   */
  folders(prefix: string): Promise<{ folders: string[]; objects: ListedObject[] }>;
  /** The folders right below a prefix that ends in `/`, each with its `/`, in order. Nothing in them is listed. */
  listFolders(prefix: string): Promise<string[]>;
  /** Does nothing when there is no such object. */
  delete(key: string): Promise<void>;
  /** Creates the bucket if it is not there. */
  ensureBucket(): Promise<void>;
  /** Resolves when the server answers these credentials, bucket or not. Asked once, for at most three seconds. */
  ping(): Promise<void>;
  close(): void;
}

export interface ObjectStoreOptions {
  /** `http://host:port` or `https://…`. */
  endpoint: string;
  region: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/** What to store: bytes, a text (as UTF-8), or the path of a local file, which is streamed. */
export type ObjectContent = Uint8Array | string | { file: string };

export interface ObjectInfo {
  key: string;
  bytes: number;
  /** SHA-256 as this store recorded it when it put the object; absent for objects that others put. */
  sha256?: string;
  contentType?: string;
}

export interface ListedObject {
  key: string;
  bytes: number;
  /** ISO 8601, UTC. */
  modifiedAt: string;
  /** The server's tag of the content: changes when the object is replaced. */
  etag: string;
}

export interface PutOptions {
  contentType?: string;
  ifNoneMatch?: '*';
}
