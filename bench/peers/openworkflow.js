// OpenWorkflow on its SQLite backend, doing what a queue of ours is measured at. JavaScript, so that type checks need
// no peers installed. Its file has WAL and SQLite's default, synchronous=FULL.
import { OpenWorkflow } from "openworkflow";
import { BackendSqlite } from "openworkflow/sqlite";

const POLL_MS = 10;

/** Time to enqueue so many runs of three steps, and to work them until the store says that all are done, ms. */
export async function workQueue(path, runs, atOnce) {
  const backend = BackendSqlite.connect(path);
  const ow = new OpenWorkflow({ backend });
  const three = ow.defineWorkflow({ name: "three" }, async ({ step }) => {
    const first = await step.run({ name: "first" }, async () => 1);
    const second = await step.run({ name: "second" }, async () => first + 1);
    return await step.run({ name: "third" }, async () => second + 1);
  });
  const worker = ow.newWorker({ concurrency: atOnce });
  const beganMs = performance.now();
  for (let run = 0; run < runs; run += 1) await three.run({});
  const enqueuedMs = performance.now();
  await worker.start();
  while ((await countDone(backend)) < runs)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  const doneMs = performance.now();
  await worker.stop();
  await backend.stop();
  return { enqueueMs: enqueuedMs - beganMs, workMs: doneMs - enqueuedMs };
}

async function countDone(backend) {
  const counts = await backend.countWorkflowRuns();
  return counts.completed ?? counts.succeeded ?? 0;
}
