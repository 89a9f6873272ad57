import { defineConfig } from "millrace";
import { ZONE } from "./chicago.ts";
import { marketData } from "./pipeline.ts";

export default defineConfig({
  pipelines: [marketData],
  schedules: {
    quarter: {
      pipeline: "market-data",
      cron: "*/15 * * * *",
      timezone: ZONE,
      overlap: "skip",
      description: "Every quarter of an hour, unless a run is under way.",
    },
  },
});
