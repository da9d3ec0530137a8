import { isRecord } from './expression-tree.js';

/** How many times longer than the longest text that it reads an expression's text may become. */
export const growthMax = 1000;

const backReference = /\\\d/g;

/**
 * How many times longer than its longest input the text may be that a call gives, from its parts' own growths. The
 * replacement of `replace` and `regexp_replace` and the format of `strftime` must be constants: only then is there a
 * bound.
 */
export function growthOf(
  name: string,
  children: readonly unknown[],
  growths: readonly number[],
): number | { problem: string } {
  const [subject = 1] = growths;
  switch (name) {
    case '||':
    case 'concat':
    case 'concat_ws': {
      // The separator of concat_ws stands between the others.
      const sum = growths.reduce((total, growth) => total + growth, 0);
      return name === 'concat_ws' ? sum + subject * growths.length : sum;
    }
    case 'replace': {
      const [from, to] = [constantText(children[1]), constantText(children[2])];
      if (to === undefined) return { problem: 'the replacement of replace must be a constant text' };
      return subject * Math.max(1, Math.ceil(to.length / Math.max(1, from?.length ?? 1)));
    }
    case 'regexp_replace': {
      const to = constantText(children[2]);
      if (to === undefined) return { problem: 'the replacement of regexp_replace must be a constant text' };
      const references = to.match(backReference)?.length ?? 0;
      return subject * Math.max(1, 1 + to.length - references);
    }
    case 'nfc_normalize':
      return subject * 3;
    case 'strftime':
    case 'strptime':
    case 'try_strptime': {
      const format = constantText(children[1]) ?? constantText(children[0]);
      if (format === undefined) return { problem: `the format of ${name} must be a constant text` };
      if (/%[zZ]/.test(format))
        return { problem: `%z and %Z in the format of ${name} are not allowed: times have no zone here` };
      return 1;
    }
    default:
      return Math.max(1, ...growths);
  }
}

function constantText(node: unknown): string | undefined {
  if (!isRecord(node) || node.class !== 'CONSTANT' || !isRecord(node.value)) return undefined;
  return typeof node.value.value === 'string' ? node.value.value : undefined;
}
