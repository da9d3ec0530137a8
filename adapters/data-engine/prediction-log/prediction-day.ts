import { quoteName, quoteText } from '../quote-sql.js';

const digits = '0123456789abcdefghijklmnopqrstuvwxyz';
const places = 11;

/** The UTC day of a prediction by its id, as SQL; `unknown` where the id does not say one. */
export function predictionDaySql(column: string): string {
  const time = `regexp_extract(${quoteName(column)}, '^p-([0-9a-z]{6,${places}})-[0-9a-f]{8}-', 1)`;
  const padded = `lpad(${time}, ${places}, '0')`;
  const terms = Array.from({ length: places }, (_, at) => {
    const digit = `(instr(${quoteText(digits)}, substr(${padded}, ${at + 1}, 1)) - 1)`;
    return `${digit}::BIGINT * ${36 ** (places - 1 - at)}`;
  });
  const milliseconds = `(${terms.join(' + ')})`;
  return `CASE WHEN ${time} = '' OR ${milliseconds} > 4102444800000 THEN 'unknown'
    ELSE strftime(make_timestamp(${milliseconds} * 1000), '%Y-%m-%d') END`;
}
