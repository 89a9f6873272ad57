// Three stages that do nothing, the first of which says that it begins.

import { pipeline, stage, type Pipeline } from "millrace";

/** The pipeline that idle processes wait for. */
export function makeIdle(began: () => void): Pipeline<void, { readonly end: number }> {
  const begin = stage("begin", {}, began);
  const middle = stage("middle", { needs: { begin } }, () => 1);
  const end = stage("end", { needs: { middle } }, () => 2);
  return pipeline("idle", { output: { end } });
}
