// The six trigger rules: when a stage runs, judged once all its needs are finished.

/** Names of the rules. */
export const TRIGGER_RULES = [
  "all_success",
  "all_done",
  "all_failed",
  "one_failed",
  "none_failed",
  "none_failed_min_one_success",
] as const;

/** When a stage runs. */
export type TriggerRule = (typeof TRIGGER_RULES)[number];
