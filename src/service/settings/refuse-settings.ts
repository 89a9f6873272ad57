// Settings that cannot be taken over: what was in force stays so, and whoever looks is told until they are mended.

import { ERROR_LIST_CHARS_MAX } from "../../model/limits.ts";
import { boundedText, type Json } from "../../std/json.ts";
import type { MillContext } from "../mill-context.ts";

/** Faults that an event names. */
const FAULTS_TOLD_MAX = 20;

/** One fault, as it is told: nothing of it is secret. */
export interface RefusedSetting {
  /** Empty: the source as a whole. */
  readonly key: string;
  readonly message: string;
  readonly hint: string | null;
}

/** Tells `settings.refused`, and keeps it for the watchdog. Rejects with what the store rejects with. */
export async function refuseSettings(
  mill: MillContext,
  source: string,
  faults: readonly RefusedSetting[],
): Promise<void> {
  const [first] = faults;
  const more = faults.length > 1 ? `, and ${faults.length - 1} more` : "";
  const at = first === undefined || first.key === "" ? "" : `${first.key}: `;
  const why = boundedText(`${at}${first?.message ?? "it cannot be read"}${more}`, 500);
  mill.standing.refusedSettings = `${source} was changed and is not valid: ${why.replace(/\.$/, "")}. What was in force stays so.`;
  const told = faults.slice(0, FAULTS_TOLD_MAX).map(({ key, message, hint }): Json => ({
    key: boundedText(key, ERROR_LIST_CHARS_MAX),
    message: boundedText(message, ERROR_LIST_CHARS_MAX),
    hint: hint === null ? null : boundedText(hint, ERROR_LIST_CHARS_MAX),
  }));
  await mill.committer.write({
    kind: "tell-outside",
    runId: null,
    events: [{ type: "settings.refused", data: { source, faults: told, count: faults.length } }],
  });
}
