import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "millrace";
import { literatureReview } from "./pipeline.ts";
import { toResourceSettings } from "./resources.ts";

const quotas = readFileSync(join(import.meta.dirname, "quotas.json"), "utf8");

export default defineConfig({
  pipelines: [literatureReview],
  resources: toResourceSettings(quotas),
});
