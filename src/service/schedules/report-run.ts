// A run that an outside scheduler started by itself, so that it shows here. Reported again it is the same report, and
// whatever is wrong is an answer: who reports must never fail because of it.

import { recordEvent } from "../events/record-event.ts";
import type { MillContext } from "../mill-context.ts";

/** A report. */
export interface RunReport {
  /** Name of the pipeline, as the reporter knows it. */
  readonly pipeline: string;
  /** The reporter's own id of the run: reported once for each. */
  readonly run: string;
  /** Who reports: `cron`, `airflow`. */
  readonly source: string;
  /** ISO 8601. Default now. */
  readonly at?: string;
  /** For people. */
  readonly message?: string;
}

/** What became of it. */
export interface RunReported {
  /** True: told now. False: known before, or not taken. */
  readonly created: boolean;
  /** Why it was not taken; absent: it was, now or before. */
  readonly problem?: string;
}

/** Tells `external.reported` once for each source, pipeline and run. Never throws. */
export async function reportRun(mill: MillContext, report: RunReport): Promise<RunReported> {
  try {
    const { pipeline, run, source, at, message } = report;
    const { created } = await recordEvent(mill, {
      name: "run.started",
      source,
      key: JSON.stringify(["run", source, pipeline, run]),
      data: { pipeline, run },
      ...(at === undefined ? {} : { at }),
      ...(message === undefined ? {} : { message }),
    });
    return { created };
  } catch (error) {
    return { created: false, problem: error instanceof Error ? error.message : String(error) };
  }
}
