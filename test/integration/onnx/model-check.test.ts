import { describe, expect, it } from 'vitest';
import { checkModel } from '../../../adapters/onnx/model-check.js';
import {
  checkTensorInterface,
  olderTensorInterfaceProblems,
  tensorInterfaceProblems,
} from '../../../adapters/onnx/tensor-interface-check.js';
import { contractSchema } from '../../../domain/data/contract.js';
import {
  bytes,
  floatTensor,
  graph,
  logisticGraph,
  model,
  number,
  text,
  valueInfo,
  varint,
  type Graph,
} from './onnx-builder.js';

const externalTensor = (name: string) => [
  ...floatTensor(name, []),
  ...bytes(13, [...text(1, 'location'), ...text(2, '.env')]),
  ...number(14, 1),
];
const withNode = (node: Graph['nodes'][number]): Graph => ({
  ...logisticGraph(),
  nodes: [node, ...logisticGraph().nodes],
});
const constant = (attribute: Graph['nodes'][number]['attributes']) =>
  withNode({ op: 'Constant', inputs: [], outputs: ['c'], ...(attribute && { attributes: attribute }) });
const nested = (depth: number): Graph =>
  depth === 0
    ? { nodes: [], inputs: [], outputs: [] }
    : {
        nodes: [
          { op: 'If', inputs: ['x'], outputs: ['y'], attributes: { then_branch: { graph: graph(nested(depth - 1)) } } },
        ],
        inputs: [],
        outputs: [],
      };

describe('checkModel', () => {
  it('says what a sound model takes and gives', () => {
    const info = checkModel(model(logisticGraph()));
    expect(info).toMatchObject({
      irVersion: 8,
      opsets: { 'ai.onnx': 15, 'ai.onnx.ml': 3 },
      graphName: 'test',
      nodes: 5,
    });
    expect(info.inputs).toEqual([
      { name: 'carrier', elementType: 'string', shape: [null, 1] },
      { name: 'x', elementType: 'float', shape: [null, 1] },
    ]);
    expect(info.outputs.map((output) => output.name)).toEqual(['label', 'probabilities']);
  });

  it('does not count an initializer that is listed among the inputs as an input', () => {
    const main = logisticGraph();
    main.inputs.push(valueInfo('zero', 1, [1]));
    expect(checkModel(model(main)).inputs.map((input) => input.name)).toEqual(['carrier', 'x']);
  });

  const attacks: [string, Uint8Array, RegExp][] = [
    [
      'an initializer in another file',
      model({ ...logisticGraph(), initializers: [externalTensor('zero')] }),
      /external data/,
    ],
    [
      'an initializer marked external without a location',
      model({ ...logisticGraph(), initializers: [[...floatTensor('zero', [0]), ...number(14, 1)]] }),
      /external data/,
    ],
    [
      'an attribute tensor in another file',
      model(constant({ value: { tensor: externalTensor('c') } })),
      /external data/,
    ],
    [
      'an external tensor inside a subgraph',
      model(
        constant({
          body: { graph: graph({ nodes: [], inputs: [], outputs: [], initializers: [externalTensor('c')] }) },
        }),
      ),
      /external data/,
    ],
    [
      'an external tensor in a second graph that readers merge',
      model(logisticGraph(), ['', 'ai.onnx.ml'], bytes(7, bytes(5, externalTensor('zero')))),
      /external data|2 graphs/,
    ],
    [
      'an operator set of another domain',
      model(logisticGraph(), ['', 'ai.onnx.ml', 'com.microsoft']),
      /domain "com.microsoft"/,
    ],
    [
      'an operator of another domain',
      model(withNode({ op: 'Run', domain: 'evil', inputs: [], outputs: ['c'] })),
      /domain "evil"/,
    ],
    ['a function of its own', model(logisticGraph(), ['', 'ai.onnx.ml'], bytes(25, text(1, 'f'))), /functions/],
    ['a training graph', model(logisticGraph(), ['', 'ai.onnx.ml'], bytes(20, [])), /training/],
    ['graphs nested too deep', model({ ...logisticGraph(), nodes: nested(6).nodes }), /nested deeper than 4/],
    [
      'an output that is no tensor',
      model({ ...logisticGraph(), outputs: [[...text(1, 'probabilities'), ...bytes(2, bytes(4, []))]] }),
      /not a tensor/,
    ],
    ['no graph', Uint8Array.from(number(1, 8)), /0 graphs/],
    ['no bytes', new Uint8Array(0), /empty/],
    ['the ORT format', Uint8Array.from(Buffer.from('0000ORTM0000')), /ORT format/],
    [
      'a group, which readers treat differently',
      Uint8Array.from([...model(logisticGraph()), 7 * 8 + 3]),
      /wire type 3/,
    ],
    ['a field with another wire type', Uint8Array.from([...model(logisticGraph()), ...number(7, 1)]), /not bytes/],
    ['a length beyond the file', Uint8Array.from([...varint(7 * 8 + 2), ...varint(2 ** 30)]), /cut off/],
    ['a number that does not end', Uint8Array.from([8, ...new Array<number>(12).fill(255)]), /longer than 10 bytes/],
    ['text that is not UTF-8', model(logisticGraph(), ['', 'ai.onnx.ml'], bytes(8, bytes(1, [0xff]))), /UTF-8/],
  ];
  it.each(attacks)('refuses %s', (_, file, reason) => {
    expect(() => checkModel(file)).toThrow(reason);
    expect(() => checkModel(file)).toThrow(expect.objectContaining({ code: 'artifact/refused' }));
  });

  it('refuses every truncation of a sound file', () => {
    const sound = model(logisticGraph());
    for (let length = 0; length < sound.length; length++) {
      expect(() => checkModel(sound.subarray(0, length)), `cut to ${length} bytes`).toThrow(
        expect.objectContaining({ code: 'artifact/refused' }),
      );
    }
  });

  it('holds to its limits of size and nodes', () => {
    const sound = model(logisticGraph());
    const limits = { bytesMax: sound.length, nodesMax: 5, depthMax: 0, fieldsMax: 1000 };
    expect(checkModel(sound, limits).nodes).toBe(5);
    expect(() => checkModel(sound, { ...limits, bytesMax: sound.length - 1 })).toThrow(/bytes/);
    expect(() => checkModel(sound, { ...limits, nodesMax: 4 })).toThrow(/more than 4 nodes/);
  });
});

describe('checkTensorInterface', () => {
  const contract = (features: object) =>
    contractSchema.parse({ entity: ['id'], eventTime: 'at', label: { name: 'y', type: 'boolean' }, features });
  const features = { carrier: { type: 'string' }, x: { type: 'number', nullable: true } };
  const info = checkModel(model(logisticGraph()));

  it('accepts a model that fits its contract', () => {
    expect(tensorInterfaceProblems(info, { contract: contract(features) })).toEqual([]);
  });

  it('names every input and output that does not fit', () => {
    const swapped = contract({ carrier: { type: 'number' }, x: { type: 'string' }, z: { type: 'number' } });
    expect(tensorInterfaceProblems(info, { contract: swapped })).toEqual([
      'input carrier takes string, the contract says float',
      'input x takes float, the contract says string',
      'input z is missing',
    ]);
    expect(() => checkTensorInterface(info, { contract: contract({ x: { type: 'number' } }) })).toThrow(
      /input carrier is not a feature/,
    );
    const odd = checkModel(
      model({
        ...logisticGraph(),
        inputs: [valueInfo('carrier', 8, [null, 1]), valueInfo('x', 1, [1, 1])],
        outputs: [valueInfo('probabilities', 1, [null, 3])],
      }),
    );
    expect(tensorInterfaceProblems(odd, { contract: contract(features) })).toEqual([
      'input x has the shape [1, 1] instead of [-1, 1]',
      'output label is missing (the model gives probabilities [-1, 3])',
      'output probabilities has the shape [-1, 3] instead of [-1, 2]',
    ]);
  });

  it('lets an older model lack a feature of today, but not ask for one that is gone', () => {
    expect(olderTensorInterfaceProblems(info, { contract: contract({ ...features, z: { type: 'number' } }) })).toEqual(
      [],
    );
    expect(olderTensorInterfaceProblems(info, { contract: contract({ x: { type: 'number' } }) })).toEqual([
      'input carrier is not a feature of the contract',
    ]);
  });
});
