/** Four significant digits, as people read a measurement. */
export const shortNumber = (value: number): string => String(Number(value.toPrecision(4)));
