// A program without a guard: whoever imports it works the queue. Its stage kills its process.

import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { openMillrace, pipeline, stage } from "../../../src/exports/index.ts";

// Where the process of an attempt is started it is the folder of its worker.
const folder = process.cwd();
appendFileSync(join(folder, "imports"), `${process.pid}\n`);

const boom = stage("boom", {}, () => {
  appendFileSync(join(folder, "effects"), "boom\n");
  process.abort();
});
export const unguarded = pipeline("unguarded", { stages: [boom], module: import.meta.url });

const mill = await openMillrace({ store: "sqlite:store.db", pipelines: [unguarded] });
await mill.enqueue(unguarded, [{ key: "once", input: undefined }]);
appendFileSync(join(folder, "opened"), `${process.pid}\n`);
await mill.work({ drain: true });
await mill.close();
