// What the watchdog of a store finds: of this process where one watches here, else what the process that watches for
// all has written. Where nobody watches any more, nothing is known.

import { isPlainRecord } from "../../model/compile/option-reader.ts";
import { toFinding, type Finding } from "../../policy/watchdog/finding.ts";
import type { Store } from "../../storage/store.ts";
import { contextOf } from "../mill-context.ts";
import { readBoard } from "./finding-board.ts";

/** Findings, the worst and oldest first; null: nobody watches. `mill`: what `openMillrace` gave. */
export async function listFindings(mill: object): Promise<readonly Finding[] | null> {
  const { standing, store } = contextOf(mill);
  return standing.watch?.findings() ?? (await listStoredFindings(store));
}

/** What the process that watches for all found; null: nobody watches. */
export async function listStoredFindings(
  store: Pick<Store, "findRecord" | "nowMs">,
): Promise<readonly Finding[] | null> {
  const duty = await store.findRecord("duties", "watchdog");
  const untilMs = isPlainRecord(duty?.value) ? duty.value["untilMs"] : undefined;
  if (typeof untilMs !== "number" || untilMs <= store.nowMs()) return null;
  return (await readBoard(store)).map(toFinding);
}
