// The parts of the engine's world that are this machine's own.

import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { LocalFiles } from "../storage/local-files.ts";
import { findStorePath, isMemoryUrl } from "../storage/open-store.ts";

const temporaryFiles = new LocalFiles(join(tmpdir(), "millrace-runs"));

/** Folders of runs: beside the store's file; for stores without one, under the system's temporary folder. */
export function makeFiles(storeUrl: string): LocalFiles {
  if (isMemoryUrl(storeUrl)) return temporaryFiles;
  return new LocalFiles(join(dirname(findStorePath(storeUrl)), "runs"));
}
