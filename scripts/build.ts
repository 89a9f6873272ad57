// Builds `dist`: JavaScript in a few chunks, declarations one per source.
//
//   node scripts/build.ts

import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { bundle } from "./bundle.ts";

rmSync("dist", { recursive: true, force: true });
await bundle("dist");
execFileSync(
  process.execPath,
  [join("node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.build.json"],
  { stdio: "inherit" },
);
