// The whole example by itself: the files of minute bars, where there are none yet, and one run over them. What follows
// the name of the example goes to `millrace run`.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { writeBars } from "./bars/write-bars.ts";
import { settings } from "./settings.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const bars = join(settings.MARKET_DATA_OUT, "bars");
if (!existsSync(bars)) await writeBars(bars);

const command = ["src/cli/main.ts", "run", join(import.meta.dirname, "millrace.config.ts")];
const args = ["--conditions=@millrace/source", ...command, ...process.argv.slice(2)];
const ended = spawnSync(process.execPath, args, { cwd: ROOT, stdio: "inherit" });
process.exitCode = ended.status ?? 1;
