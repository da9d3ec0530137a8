import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { ComponentSpec } from '../processes/component.js';
import { checkBucketWritable, ensureBucket, type BucketAccess } from './bucket.js';
import { removeStaleSockets } from '../processes/stale-sockets.js';
import { writeStateFile } from '../state-file.js';
import { requireTool } from './tools.js';

export interface ObjectStoreOptions {
  projectRoot: string;
  home: string;
  host: string;
  port: number;
  bucket: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/** Each of SeaweedFS's four parts also listens on its port + 10,000. */
export const objectStorePorts = { s3: 0, master: 1, filer: 2, volume: 3, grpc: 10_000 } as const;

/** SeaweedFS with its S3 gateway, all in one process, its state in `<home>/s3`. */
export function objectStoreComponent(options: ObjectStoreOptions): ComponentSpec {
  const program = requireTool(options.projectRoot, 'servers', 'weed');
  const folder = path.join(options.home, 's3');
  const configFile = path.join(options.home, 'run', 's3.json');
  const access: BucketAccess = { ...options, endpoint: `http://${options.host}:${options.port}` };
  const ports = Object.values(objectStorePorts)
    .filter((offset) => offset < objectStorePorts.grpc)
    .flatMap((offset) => [offset, offset + objectStorePorts.grpc])
    .map((offset) => ({
      port: options.port + offset,
      variable: 'PERDURE_S3_PORT',
      purpose: offset === 0 ? 'S3' : 'a part of the object store',
    }));
  let writable = false;
  return {
    name: 's3',
    kind: 'server',
    address: access.endpoint,
    version: 'SeaweedFS 4.48',
    ports,
    async prepare() {
      writable = false;
      removeStaleSockets(ports.map(({ port }) => port));
      mkdirSync(folder, { recursive: true });
      const credentials = [{ accessKey: options.accessKeyId, secretKey: options.secretAccessKey }];
      const identities = [{ name: 'perdure', credentials, actions: ['Admin', 'Read', 'List', 'Tagging', 'Write'] }];
      writeStateFile(configFile, JSON.stringify({ identities }), 0o600);
    },
    command() {
      const port = (part: keyof typeof objectStorePorts) => String(options.port + objectStorePorts[part]);
      const args = ['-logtostderr=true', 'server', `-dir=${folder}`, `-ip=${options.host}`, `-ip.bind=${options.host}`];
      args.push(
        `-master.port=${port('master')}`,
        `-volume.port=${port('volume')}`,
        '-filer',
        `-filer.port=${port('filer')}`,
      );
      args.push('-s3', `-s3.port=${port('s3')}`, `-s3.config=${configFile}`);
      // Catalog services that nobody uses here would take the same two ports in every stack of the machine.
      args.push('-s3.port.iceberg=0', '-s3.port.lance=0', '-master.telemetry=false');
      // One machine: small volumes, and no election of a leader, which would cost 1 s or 6 s by chance at the first
      // start.
      args.push('-master.volumeSizeLimitMB=1024', '-volume.max=1000', '-volume.preStopSeconds=1', '-master.peers=none');
      // After a restart nothing can be written for a time that grows with these two: 15 s by default, nothing
      // noticeable so.
      args.push('-master.electionTimeout=1s', '-master.heartbeatInterval=100ms');
      return { file: program, args, env: process.env, cwd: folder };
    },
    async check() {
      if (writable) return ensureBucket(access, 'check');
      await ensureBucket(access, 'create');
      await checkBucketWritable(access);
      writable = true;
    },
    stopSignal: 'SIGTERM',
    // Asked to end, its parts wait for each other's streams for 16 s; what was acknowledged survives SIGKILL, so
    // nothing is gained by waiting.
    graceMs: 1_500,
    startTimeoutMs: 60_000,
  };
}
