import { openAsBlob } from 'node:fs';
import path from 'node:path';
import type { ApiClient } from '../../client/http/api-client.js';
import type { Partition } from '../../domain/partition.js';
import { prepareFlightMonth } from './flights-data.js';

export interface ArrivalOptions {
  api: ApiClient;
  model: string;
  projectRoot: string;
  home: string;
}

/** Makes a month of flights arrive in the lake, as a user would put it there. The same bytes again change nothing. */
export async function arrive({ api, model, projectRoot, home }: ArrivalOptions, month: Partition): Promise<void> {
  const files = await prepareFlightMonth({
    month,
    datasetsDir: path.join(projectRoot, '.tools', 'datasets'),
    outDir: path.join(home, 'cache', 'flights'),
  });
  const put = async (table: string, file: string, partition?: Partition) =>
    api.putData({ model, table, partition, name: path.basename(file), bytes: await openAsBlob(file) });
  await put('planes', files.planes);
  await put('weather', files.weather, month);
  await put('flights', files.flights, month);
}
