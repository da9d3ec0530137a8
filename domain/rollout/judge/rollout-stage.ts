/**
 * What a stage compares the challenger with. `before`: at full share the champion answers nothing, so its totals are
 * those from before the stage.
 */
export type Comparison = 'none' | 'same-minutes' | 'before';

/** One stage of a rollout: a route, what must be seen under it, and for how long. Every strategy is a list of these. */
export interface RolloutStage {
  name: string;
  kind: 'canary' | 'standby' | 'bake' | 'shadow' | 'ab' | 'everything';
  /** The challenger's share of the traffic. */
  challengerPct: number;
  /** Share of the requests copied to shadows; 0 for none. */
  shadowPct: number;
  /** Which of the two stays loaded beside the split, for an instant switch. */
  standby: 'none' | 'challenger' | 'champion';
  comparison: Comparison;
  /** `not-worse`: the challenger goes on when it is within the margins; `better`: only when the outcome is better. */
  decides: 'not-worse' | 'better';
  minRequests: number;
  minSeconds: number;
  maxSeconds: number;
}
