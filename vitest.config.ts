import { defineConfig } from "vitest/config";

// Three projects, so that the fast ones can be run alone: unit tests live beside their source, the
// store suite runs once per store, everything else starts processes or spans several rooms.
//
// Files share a worker and what it has loaded (`isolate: false`): to load the sources anew for each took two thirds of
// the processor time of small unit tests. So a file leaves nothing behind: no global, no environment, nothing running.
const resolve = { conditions: ["@millrace/source", "node", "import", "default"] };

export default defineConfig({
  test: {
    globalSetup: "test/support/compile-cache.ts",
    // Files that wait for processes beside files that compute: on two processors 560 s instead of 900.
    maxWorkers: 2,
    projects: [
      {
        resolve,
        ssr: { resolve },
        test: {
          name: "unit",
          isolate: false,
          // Of a quiet machine a test takes milliseconds; of a busy one it may take a thousand times as long.
          testTimeout: 30_000,
          include: ["src/**/*.test.ts", "scripts/**/*.test.ts"],
          exclude: ["src/storage/**/*.store.test.ts"],
        },
      },
      {
        resolve,
        ssr: { resolve },
        test: {
          name: "store",
          isolate: false,
          testTimeout: 30_000,
          include: ["src/storage/**/*.store.test.ts"],
        },
      },
      {
        resolve,
        ssr: { resolve },
        test: {
          name: "whole",
          isolate: false,
          globalSetup: "test/support/suite-package.ts",
          include: ["test/**/*.test.ts", "examples/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
