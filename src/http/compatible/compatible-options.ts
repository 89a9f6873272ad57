// What the API of an older system is about. That system had one pipeline and one schedule.

/** Names of ours that it speaks of. */
export interface CompatibleOptions {
  /** Name of the pipeline. */
  readonly pipeline: string;
  /** Name of the schedule. Default none: then its routes do not exist. */
  readonly schedule?: string;
}
