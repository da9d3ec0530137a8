import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { messageOf } from '../../domain/errors.js';
import { noContents } from '../../serving/grpc/infer-message.js';
import { GrpcClient } from '../integration/serving/grpc-client.js';
import { drillModel, drillRow } from './drill-model.js';
import type { Asked } from './facts.js';

export interface TrafficGateway {
  name: string;
  url: string;
  grpcAddress: string;
}

export interface LiveTraffic {
  /** What was asked and has ended, oldest first. */
  asked: readonly Asked[];
  /** How often each problem made a caller ask again, by its words. */
  problems: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

/**
 * A prediction counts as failed when the same id gets no answer for this long, while any gateway of the environment
 * stands.
 */
const answerWithinMs = 5_000;
/** Nobody waits longer than this for the drill to bring a gateway back. */
const awayAtMostMs = 180_000;
/** After this a caller asks another gateway. */
const tryMs = 1_500;
const underWayMax = 100;
const grpcEvery = 8;
/** By default a gRPC client leaves a server that was away alone for longer and longer, up to two minutes. */
const reconnectsSoon = { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 500 };

const answerSchema = z.object({ model_version: z.string() });

/**
 * Asks the gateways by turns, at an even pace, one in eight over gRPC; what one does not answer is asked again of the
 * other, under the same id. Time in which `standing` says that the drill itself left no gateway standing is not held
 * against them.
 */
export function startTraffic(
  { gateways, standing }: { gateways: readonly TrafficGateway[]; standing(): number },
  perSecond: number,
): LiveTraffic {
  const asked: Asked[] = [];
  const problems = new Map<string, number>();
  const stopping = new AbortController();
  const underWay = new Set<Promise<void>>();
  const clients = gateways.map(({ grpcAddress }) => new GrpcClient(grpcAddress, reconnectsSoon));

  const ask = async (turn: number): Promise<void> => {
    const id = `drill-${turn}`;
    const askedAt = performance.now();
    const said: string[] = [];
    let leftMs = answerWithinMs;
    // A caller that itself stood still has still asked each gateway twice.
    for (
      let attempt = 0;
      (leftMs > 0 && performance.now() - askedAt < awayAtMostMs) || attempt < 2 * gateways.length;
      attempt += 1
    ) {
      const at = (turn + attempt) % gateways.length;
      const sentAt = performance.now();
      const stood = standing() > 0;
      try {
        const overGrpc = turn % grpcEvery === 0;
        const answer = overGrpc ? await askGrpc(clients[at], id, turn) : await answerOf(gateways[at], id, turn);
        asked.push({
          id,
          answer: { gateway: gateways[at]?.name ?? '', ...answer, sentAt, answeredAt: performance.now() },
        });
        return;
      } catch (error) {
        const words = `${gateways[at]?.name}: ` + `${messageOf(error).replace(/ after .*/, '')}`;
        said.push(words);
        problems.set(words, (problems.get(words) ?? 0) + 1);
        if (performance.now() - sentAt < 50) await delay(50);
        if (stood && standing() > 0) leftMs -= performance.now() - sentAt;
      }
    }
    asked.push({ id, answer: null, gaveUp: { sentAt: askedAt, endedAt: performance.now(), said } });
  };

  const running = (async () => {
    const everyMs = 1000 / perSecond;
    let due = performance.now();
    for (let turn = 0; !stopping.signal.aborted; turn += 1) {
      // What a busy machine missed is not caught up on: a burst would be one more fault.
      due = Math.max(due + everyMs, performance.now() - everyMs);
      await delay(Math.max(0, due - performance.now()));
      if (underWay.size >= underWayMax) continue;
      const one = ask(turn);
      underWay.add(one);
      void one.finally(() => underWay.delete(one));
    }
    await Promise.all(underWay);
  })();

  return {
    asked,
    problems,
    async stop() {
      stopping.abort();
      await running;
      for (const client of clients) client.close();
    },
  };
}

/**
 * True when a gateway answers several times in a row over both protocols. One that has just started listens before its
 * models are warm, and to one protocol before the other.
 */
export async function answersSteadily(gateway: TrafficGateway): Promise<true> {
  const client = new GrpcClient(gateway.grpcAddress);
  try {
    for (let turn = 0; turn < 5; turn += 1)
      await Promise.all([answerOf(gateway, `steady-${turn}`, turn), askGrpc(client, `steady-grpc-${turn}`, turn)]);
    return true;
  } finally {
    client.close();
  }
}

/** One question over REST. @throws an Error when there is no answer. */
export async function answerOf(
  gateway: TrafficGateway | undefined,
  id: string,
  turn: number,
): Promise<{ version: number; epoch: number }> {
  const { carrier, x } = drillRow(turn);
  const response = await fetch(new URL(`/v2/models/${drillModel}/infer`, gateway?.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      id,
      inputs: [
        { name: 'carrier', shape: [1, 1], datatype: 'BYTES', data: [carrier] },
        { name: 'x', shape: [1, 1], datatype: 'FP32', data: [x] },
      ],
    }),
    signal: AbortSignal.timeout(tryMs),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text.slice(0, 200)}`);
  return {
    version: Number(answerSchema.parse(JSON.parse(text)).model_version),
    epoch: Number(response.headers.get('x-perdure-epoch')),
  };
}

async function askGrpc(
  client: GrpcClient | undefined,
  id: string,
  turn: number,
): Promise<{ version: number; epoch: number }> {
  if (client === undefined) throw new Error('there is no gateway');
  const { carrier, x } = drillRow(turn);
  const tensor = (name: string, datatype: string, contents: Partial<typeof noContents>) => ({
    ...{ name, datatype, shape: [1, 1], parameters: {} },
    contents: { ...noContents, ...contents },
  });
  const inputs = [
    tensor('carrier', 'BYTES', { bytesContents: [Buffer.from(carrier)] }),
    tensor('x', 'FP32', { fp32Contents: [x] }),
  ];
  const request = {
    modelName: drillModel,
    modelVersion: '',
    id,
    parameters: {},
    inputs,
    outputs: [],
    rawInputContents: [],
  };
  const { response, metadata } = await client.infer(request, {}, { deadline: Date.now() + tryMs });
  return { version: Number(response.modelVersion), epoch: Number(metadata.get('x-perdure-epoch')[0]) };
}
