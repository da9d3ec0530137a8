import { requestTensor, type RequestTensor } from '../../domain/data/feature/model-inputs.js';
import type { Contract } from '../../domain/data/contract.js';
import {
  columnReader,
  compiledFeature,
  type OtherFeature,
  type OtherFeatures,
  type ReadColumn,
  type Rows,
  widthOf,
} from '../../inference/compiled-contract.js';
import type { InputTensor } from '../../inference/input-tensor.js';
import { refusal } from '../../inference/refusal.js';
import type { LoadedVersion } from './loaded-version.js';

/** Reads a request's rows as one version of a route sees them. @throws PerdureError `input/invalid`. */
export type ReadRequest = (inputs: ReadonlyMap<string, InputTensor>) => Rows;

/**
 * What callers may send to a route: what the contract of its incumbent takes, and beside it the features that its other
 * versions know. Each version gets what it knows of that: compiled once a route and version, so that a request looks
 * nothing up.
 */
export class AcceptedFeatures {
  private readonly others = new WeakMap<LoadedVersion, OtherFeatures>();

  /**
   * @param versions of the route, the incumbent first
   * @param former contracts of versions that the route served and went back from: callers who had moved on still send
   * what those knew
   */
  constructor(
    private readonly versions: readonly LoadedVersion[],
    private readonly former: readonly Contract[],
  ) {}

  /** For what the route itself chooses: no caller gets an answer to another question than the incumbent's. */
  reader(loaded: LoadedVersion): ReadRequest {
    const label = this.versions[0]?.contract.label ?? loaded.contract.label;
    const own = loaded.contract.label;
    if (own?.name === label?.name && own?.type === label?.type) return this.ownReader(loaded);
    const { model, version } = loaded.served;
    return () => {
      throw refusal(
        `${model}@${version} answers for ${own?.name ?? 'no label'}, its route for ${label?.name ?? 'no label'}.`,
        `Ask for /versions/${version} to get it.`,
      );
    };
  }

  /** For who asks for this very version. */
  ownReader(loaded: LoadedVersion): ReadRequest {
    const { readRows } = loaded.compiled;
    const others = this.othersOf(loaded);
    return others.size === 0 ? (inputs) => readRows(inputs) : (inputs) => readRows(inputs, others);
  }

  /**
   * All that the route reads: what the incumbent knows, then what only others do. What is taken and ignored is left
   * out: nobody should begin to send it.
   */
  get inputs(): { name: string; tensor: RequestTensor }[] {
    const tensors = new Map<string, RequestTensor>();
    for (const { contract } of this.versions) {
      for (const [name, feature] of Object.entries(contract.features))
        if (!tensors.has(name)) tensors.set(name, requestTensor(name, feature));
    }
    return [...tensors].map(([name, tensor]) => ({ name, tensor }));
  }

  private othersOf(loaded: LoadedVersion): OtherFeatures {
    const known = this.others.get(loaded);
    if (known !== undefined) return known;
    const others = new Map<string, OtherFeature>();
    const contracts = [...this.versions.map((one) => one.contract), loaded.contract, ...this.former];
    const { meters } = loaded;
    for (const name of contracts.flatMap(({ features, accepts }) => [
      ...Object.keys(features),
      ...Object.keys(accepts ?? {}),
    ])) {
      if (Object.hasOwn(loaded.contract.features, name)) continue;
      const until = lastDay(name, contracts);
      others.set(name, { ...this.checkOf(name), seen: () => until !== undefined && meters.accepted(name, until) });
    }
    this.others.set(loaded, others);
    return others;
  }

  /**
   * While a version of the route reads a feature its values are those that one of these takes, whoever answers: else
   * the draw would decide whether a request is refused.
   */
  private checkOf(name: string): Pick<OtherFeature, 'check' | 'width'> {
    const readers = this.versions.flatMap(({ contract }) => {
      const feature = Object.hasOwn(contract.features, name) ? contract.features[name] : undefined;
      return feature === undefined
        ? []
        : [{ check: columnReader(name, feature, compiledFeature(name, feature)), width: widthOf(feature) }];
    });
    const [first, ...more] = readers;
    if (first === undefined) return { check: undefined };
    if (more.length === 0) return first;
    const check: ReadColumn = (tensor, count, inputs) => {
      for (const { check: read } of more) {
        try {
          return read(tensor, count, inputs);
        } catch {
          // Another version may take it.
        }
      }
      return first.check(tensor, count, inputs);
    };
    return { check, width: first.width };
  }
}

/** The day until which callers may send what models no longer use; undefined where no contract says so. */
function lastDay(name: string, contracts: readonly Contract[]): string | undefined {
  const days = contracts.flatMap(({ accepts }) =>
    accepts !== undefined && Object.hasOwn(accepts, name) ? [accepts[name]?.until ?? ''] : [],
  );
  return days.toSorted().at(-1);
}
