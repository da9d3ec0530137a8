import type { Task } from './task.js';

/** One class of several: the answer is the chance of each, and the likeliest. */
export const multiclass: Task = {
  name: 'multiclass',
  title: 'Multiclass classification',
  labelTypes: ['string', 'integer'],
  outputs: ({ classes }) => [
    { name: 'label', datatype: typeof classes[0] === 'string' ? 'BYTES' : 'INT64', width: null },
    { name: 'probabilities', datatype: 'FP32', width: classes.length },
  ],
  graphOutputs: ({ classes }) => [{ name: 'probabilities', width: classes.length, holds: 'chances' }],
  problems: ({ label }) => {
    const classes: readonly (string | number)[] =
      label !== undefined && 'classes' in label ? (label.classes ?? []) : [];
    const twice = classes.find((one, index) => classes.indexOf(one) !== index);
    return twice === undefined ? [] : [{ path: 'contract.label.classes', message: `${twice} is listed twice` }];
  },
};
