/**
 * An FP32 number as JSON text that reads back as exactly that number. A probability from 0.0001 is written with the
 * nine digits that any FP32 number needs and no more (IEEE 754): as a double it would take up to seventeen, and three
 * times as long.
 */
export function fp32Text(value: number): string {
  if (value < 1) {
    if (value >= 0.1) return `0.${Math.round(value * 1e9)}`;
    if (value >= 0.01) return `0.0${Math.round(value * 1e10)}`;
    if (value >= 0.001) return `0.00${Math.round(value * 1e11)}`;
    if (value >= 0.0001) return `0.000${Math.round(value * 1e12)}`;
  }
  return Object.is(value, -0) ? '-0' : String(value);
}

/** `[0.25,…]` */
export function fp32ArrayText(values: Float32Array): string {
  let text = '[';
  for (let index = 0; index < values.length; index += 1)
    text += index === 0 ? fp32Text(values[index] ?? NaN) : `,${fp32Text(values[index] ?? NaN)}`;
  return `${text}]`;
}
