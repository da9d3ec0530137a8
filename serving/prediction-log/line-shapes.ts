import { typeOfValue, type LoggedFeatures, type LoggedType } from '../../domain/serving/logged-features.js';

/** Versions whose features have one type a name: their lines are read together. */
export interface ShapeGroup {
  versions: ReadonlyMap<number, LoggedFeatures>;
  /** Those whose type is known, of all versions. */
  features: ReadonlyMap<string, LoggedType>;
}

const versionMark = Buffer.from('"version":');
const digitsMax = 10;

/**
 * Finds out which features the rows of an older gateway have, whose lines name each of them, and of which types: by the
 * lines of each version, until every feature has had a value.
 */
export class LineShapes {
  private readonly byVersion = new Map<number, Map<string, LoggedType | null>>();
  private readonly settled = new Set<number>();

  /** @param bytes of a segment, in which the line stands from `start` to `end` */
  look(bytes: Buffer, start: number, end: number): void {
    const mark = bytes.indexOf(versionMark, start);
    if (mark === -1 || mark > end) return;
    const from = mark + versionMark.length;
    const version = Number.parseInt(bytes.toString('latin1', from, from + digitsMax), 10);
    if (Number.isNaN(version) || this.settled.has(version)) return;
    const features = featuresOfLine(bytes.toString('utf8', start, end));
    if (features === undefined) return;
    const known = this.byVersion.get(version) ?? new Map<string, LoggedType | null>();
    this.byVersion.set(version, known);
    for (const [name, value] of Object.entries(features)) known.set(name, known.get(name) ?? typeOfValue(value));
    if (![...known.values()].includes(null)) this.settled.add(version);
  }

  /** One group as a rule. */
  groups(): ShapeGroup[] {
    const groups: {
      versions: Map<number, LoggedFeatures>;
      features: Map<string, LoggedType>;
      byLowerCase: Map<string, string>;
    }[] = [];
    for (const [version, features] of this.byVersion) {
      const typed = [...features].flatMap(([name, type]) => (type === null ? [] : [{ name, type }]));
      // Names that differ in case only are one name to the data engine.
      const fits = (group: (typeof groups)[number]) =>
        typed.every(({ name, type }) =>
          [undefined, `${name}:${type}`].includes(group.byLowerCase.get(name.toLowerCase())),
        );
      let group = groups.find(fits);
      if (group === undefined)
        groups.push((group = { versions: new Map(), features: new Map(), byLowerCase: new Map() }));
      group.versions.set(version, features);
      for (const { name, type } of typed) {
        group.features.set(name, type);
        group.byLowerCase.set(name.toLowerCase(), `${name}:${type}`);
      }
    }
    return groups;
  }
}

/** Undefined for a torn line. */
function featuresOfLine(text: string): object | undefined {
  try {
    const { features } = JSON.parse(text) as { features?: unknown };
    return typeof features === 'object' && features !== null ? features : undefined;
  } catch {
    return undefined;
  }
}
