// The parts of the engine's world that are this machine's own.

import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Files } from "../engine/ports.ts";
import { LocalFiles } from "../storage/local-files.ts";

/** Folders of runs: beside the store's file; for stores without one, under the system's temporary folder. */
export function makeFiles(storeUrl: string): Files {
  const path = /^sqlite:(?<path>.+)$/su.exec(storeUrl)?.groups?.["path"];
  const root = path === undefined ? join(tmpdir(), "millrace-runs") : join(dirname(path), "runs");
  return new LocalFiles(root);
}
