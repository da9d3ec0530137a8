import type { DefinitionProblem } from '../definition-problem.js';
import { sourceTables } from '../data/source-tables.js';
import type { ModelDefinition } from './model-definition.js';

/** What may be meant so, and is worth a look before a definition is applied. */
export function definitionWarnings({ data, monitoring, promotion, rollout }: ModelDefinition): DefinitionProblem[] {
  const warnings: DefinitionProblem[] = [];
  if (data.cadence === 'hour' && data.timeZone !== undefined && data.timeZone !== 'UTC')
    warnings.push({ path: 'data.timeZone', message: 'changes nothing: partitions of an hour are hours of UTC' });
  if (data.cadence === undefined && data.timeZone !== undefined)
    warnings.push({
      path: 'data.timeZone',
      message: 'changes nothing where no cadence is declared: rows belong to the month of their columns year and month',
    });
  const used = new Set(sourceTables(data));
  for (const table of Object.keys(data.tables)) {
    if (!used.has(table))
      warnings.push({ path: `data.tables.${table}`, message: 'is neither the base nor joined: it is never read' });
  }
  if (promotion.remindAfterHours > promotion.expireAfterHours)
    warnings.push({
      path: 'promotion.remindAfterHours',
      message: `is more than expireAfterHours (${promotion.expireAfterHours}): no reminder is ever sent`,
    });
  const delayHours = monitoring.labelDelayMaxDays * 24;
  if (rollout.lateLabels && rollout.lateLabels.giveUpAfterHours > delayHours)
    warnings.push({
      path: 'rollout.lateLabels.giveUpAfterHours',
      message:
        `is more than monitoring.labelDelayMaxDays (${monitoring.labelDelayMaxDays} days), after ` +
        'which no label comes',
    });
  return warnings;
}
