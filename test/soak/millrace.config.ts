// What the server of a soak serves: a pipeline of three stages with a few items, a limit that is shared and a call that
// fails at times and is tried again, and schedules that start more of it.

import { defineConfig, input, map, pipeline, resource, stage, TransientError } from "millrace";

const ITEMS = 5;
/** One run in so many fails its first attempt. */
const FAILS_ONE_IN = 50;

const number = input<{ readonly number: number }>();
const place = resource("place", { limit: 4 });

const listed = stage("listed", { needs: { number } }, ({ number: { number: first } }) =>
  Array.from({ length: ITEMS }, (_, index) => first + index),
);
const fetched = map(
  "fetched",
  { over: listed, key: String, uses: [place], concurrency: 3 },
  (one, _needs, context) => {
    context.log.info(`page ${one}`);
    return { page: one, text: "x".repeat(200) };
  },
);
const summed = stage(
  "summed",
  { needs: { fetched, number }, retry: { attempts: 3, initialDelay: "100ms" } },
  (needs, context) => {
    if (context.attempt === 1 && needs.number.number % FAILS_ONE_IN === 0) {
      throw new TransientError("The other side is busy.");
    }
    return needs.fetched.length;
  },
);
const soak = pipeline("soak", { input: number, output: { summed } });

export default defineConfig({
  pipelines: [soak],
  schedules: {
    often: { pipeline: "soak", every: "5s", overlap: "allow", input: { number: 1 } },
    held: { pipeline: "soak", every: "10s", overlap: "skip", input: { number: 2 } },
  },
});
