// p-queue, doing what the engine is measured at. JavaScript, so that type checks need no peers installed.
import PQueue from "p-queue";

/** One after the other. */
export async function queueChain(count, work) {
  const queue = new PQueue({ concurrency: 1 });
  let value = 0;
  for (let index = 0; index < count; index += 1) value = await queue.add(() => work(value));
}

/** All at a bounded concurrency. */
export async function queueFanOut(count, atOnce, work) {
  const queue = new PQueue({ concurrency: atOnce });
  for (let index = 0; index < count; index += 1) void queue.add(() => work(index));
  await queue.onIdle();
}
