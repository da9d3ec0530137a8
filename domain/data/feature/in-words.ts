import type { AcceptedFeature, Feature, Item } from './feature.js';

/** What a feature is, behind "is a". */
export function typeInWords(feature: Feature | AcceptedFeature): string {
  if (feature.type === 'list') return `list of ${feature.of.type}s`;
  return feature.type === 'vector' ? `vector of ${feature.length} numbers` : feature.type;
}

/** Which values a feature takes; empty for all. */
export function rangeInWords(feature: Feature | Item): string {
  switch (feature.type) {
    case 'number':
    case 'integer':
      return [
        feature.min === undefined ? '' : `at least ${feature.min}`,
        feature.max === undefined ? '' : `at most ${feature.max}`,
      ]
        .filter(Boolean)
        .join(', ');
    case 'string':
      return feature.levels ? `${feature.closed ? 'only ' : ''}${feature.levels.join(', ')}` : 'any level';
    case 'text':
      return `at most ${feature.maxLength} characters`;
    case 'list':
      return [`at most ${feature.maxLength}`, rangeInWords(feature.of)].filter(Boolean).join(': ');
    case 'boolean':
    case 'timestamp':
    case 'vector':
      return '';
  }
}
