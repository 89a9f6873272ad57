// Pipelines of millrace itself, such as the one that delivers notices: they use the queue like any other, and are none
// of the user's, so that what judges pipelines leaves them alone.

/** What the name of a pipeline of our own begins with. Nobody else's may. */
export const BUILT_IN_PREFIX = "millrace.";

/** The pipeline that delivers notices. */
export const NOTICE_PIPELINE = "millrace.notify";

/** True for a pipeline of millrace itself. */
export function isBuiltIn(pipeline: string): boolean {
  return pipeline.startsWith(BUILT_IN_PREFIX);
}
