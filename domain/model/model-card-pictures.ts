import { markdownTable as table } from '../text/markdown.js';
import { shortNumber } from '../text/short-number.js';
import type { ModelCard } from './model-card.js';

/** How a model errs, by what its task has: each a heading and a table. */
export function pictureSections({
  calibration,
  confusion,
  residuals,
  coverage,
  gainCurve,
  norms,
}: ModelCard): string[] {
  const sections: string[] = [];
  const say = (heading: string, head: string[], rows: string[][]) => {
    if (rows.length > 0) sections.push(`## ${heading}`, table(head, rows));
  };
  say(
    'Calibration',
    ['mean score', 'observed share', 'rows'],
    (calibration ?? []).map((point) => [point.meanScore.toFixed(3), point.observedShare.toFixed(3), `${point.rows}`]),
  );
  say(
    'Which class for which',
    ['label, then rows by predicted class', ...(confusion?.classes ?? [])],
    (confusion?.counts ?? []).map((counts, at) => [confusion?.classes[at] ?? '', ...counts.map(String)]),
  );
  say(
    'How far off it is',
    ['quantile of label less value', 'value'],
    (residuals ?? []).map(({ probability, value }) => [`${probability}`, shortNumber(value)]),
  );
  say(
    'Its quantiles',
    ['quantile', 'share of labels at or below it'],
    (coverage ?? []).map(({ quantile, observedShare }) => [`${quantile}`, shortNumber(observedShare)]),
  );
  say(
    'Its first rows',
    ['first rows of a group', 'recall', 'NDCG'],
    (gainCurve ?? []).map(({ k, recall, ndcg }) => [`${k}`, shortNumber(recall), shortNumber(ndcg)]),
  );
  say(
    'Lengths of its vectors',
    ['least', 'median', 'greatest'],
    norms ? [[norms.least, norms.median, norms.greatest].map(shortNumber)] : [],
  );
  return sections;
}
