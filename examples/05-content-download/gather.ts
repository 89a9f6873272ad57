// After the queue was worked: writes manifest.jsonl, summary.json and the report, and sweeps what crashes left.
import process from "node:process";
import { parseArgs } from "node:util";
import { openMillrace } from "millrace";
import { gather, writeManifest } from "./manifest/gather.ts";
import { writeReport } from "./report/report.ts";
import { makeWeb } from "./settings.ts";
import { sweepParts } from "./store/content-store.ts";

const { values } = parseArgs({
  options: { store: { type: "string", default: "sqlite:.millrace/store.db" } },
});

const { out } = makeWeb(process.env);
await using mill = await openMillrace({ store: values.store, mode: "read" });
const gathered = await gather(mill, out);
await writeManifest(out, gathered);
const { path } = await writeReport(out, gathered);
await sweepParts(out, Date.now());
const { succeeded, skipped, failed, open } = gathered.summary;
console.log(`${succeeded} succeeded, ${skipped} skipped, ${failed} failed, ${open} open: ${path}`);
