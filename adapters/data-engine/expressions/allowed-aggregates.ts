/**
 * Aggregates of a team's own metrics, by name: their result does not depend on the order of rows but for rounding, and
 * is one number.
 */
export const allowedAggregates = (
  'count count_star sum avg mean min max median quantile_cont quantile_disc stddev stddev_samp stddev_pop variance ' +
  'var_samp var_pop corr covar_samp covar_pop regr_slope regr_intercept regr_r2'
).split(' ');

const allowed: ReadonlySet<string> = new Set(allowedAggregates);

export const isAllowedAggregate = (name: string): boolean => allowed.has(name);
