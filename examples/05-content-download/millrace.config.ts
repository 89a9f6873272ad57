import process from "node:process";
import { defineConfig } from "millrace";
import { contentDownload } from "./pipeline.ts";
import { makeWeb } from "./settings.ts";

export default defineConfig({
  pipelines: [contentDownload],
  provide: { web: makeWeb(process.env) },
});
