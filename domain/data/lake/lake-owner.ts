/** The owner of the tables that models share: they lie in `lake/shared/TABLE/`. No model may be called so. */
export const sharedOwner = 'shared';

/** Whose folder of the lake a table of a model lies in. */
export const lakeOwner = (model: string, table: { shared?: boolean | undefined } | undefined): string =>
  table?.shared === true ? sharedOwner : model;

/** Whose folder of the lake an object lies in, by its key. */
export const ownerOfKey = (key: string): string => key.split('/')[1] ?? '';
