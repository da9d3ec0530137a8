/**
 * Names that SQL, ONNX and Parquet can carry, of whatever a file calls its columns: `sepal length (cm)` becomes
 * `sepal_length_cm`. No two are equal, nor equal to a taken one.
 */
export function columnNames(originals: readonly string[], taken: readonly string[]): string[] {
  const used = new Set(taken.map((name) => name.toLowerCase()));
  return originals.map((original) => {
    const bare = original
      .normalize('NFKD')
      .replaceAll(/[^A-Za-z0-9_]+/g, '_')
      .replaceAll(/^_+|_+$/g, '');
    const whole = (/^[A-Za-z]/.test(bare) ? bare : `c_${bare}`).slice(0, 55);
    let name = whole;
    for (let count = 2; used.has(name.toLowerCase()); count += 1) name = `${whole}_${count}`;
    used.add(name.toLowerCase());
    return name;
  });
}
