import type { Figure } from './figure.js';
import type { Spread } from './statistics.js';

/** A figure as a few lines for people. */
export function describeFigure(figure: Figure): string {
  const lines = [figure.title, `  ${figure.name}`];
  if (figure.ratio) lines.push(`  ratio       ${spread(figure.ratio, 2)}`);
  if (figure.p99Ratio) lines.push(`  p99 ratio   ${spread(figure.p99Ratio, 2)}`);
  lines.push(`  measured    ${absolute(figure.measured)}`);
  if (figure.reference) lines.push(`  reference   ${absolute(figure.reference)}`);
  if (figure.cpuUs) {
    lines.push(
      '  µs of CPU   ' +
        `${cpu(figure.cpuUs.measured)}${figure.cpuUs.reference ? ` | reference: ${cpu(figure.cpuUs.reference)}` : ''}`,
    );
  }
  for (const { what, met } of figure.wanted) lines.push(`  ${met ? '✓' : '✗'} ${what}`);
  if (figure.firstFailure !== undefined) lines.push(`  first failure: ${figure.firstFailure}`);
  lines.push(`  ${figure.rounds} rounds, load average ${figure.loadAverage.toFixed(1)}`);
  return `${lines.join('\n')}\n`;
}

function spread({ min, median, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)} … ${max.toFixed(digits)})`;
}

function absolute(values: Record<string, Spread | number>): string {
  return Object.entries(values)
    .map(
      ([name, value]) =>
        `${name} ` +
        `${
          typeof value === 'number'
            ? round(value)
            : `${round(value.median)} (${round(value.min)} … ${round(value.max)})`
        }`,
    )
    .join(', ');
}

const round = (value: number) => String(Math.abs(value) >= 100 ? Math.round(value) : Math.round(value * 100) / 100);

function cpu(byProgram: Record<string, number>): string {
  return Object.entries(byProgram)
    .sort(([, left], [, right]) => right - left)
    .map(([name, us]) => `${name} ${us}`)
    .join(', ');
}
