// Minute bars to monthly tables of what a trade that leaves the morning's range comes to. What each stage does is in
// stages.ts; here is what each one needs, and how long it may take. A file that is damaged costs its own day alone. A
// later run does only the days whose files changed: raise the version of a cache when what its stage makes changes.
import { input, map, pipeline, stage } from "millrace";
import { TableFault } from "./merge/month-table.ts";
import { settings } from "./settings.ts";
import {
  analyzeFile,
  indexFiles,
  mergeTables,
  SOURCE,
  toAnalyzeKey,
  toKey,
  toTranslateKey,
  translateFiles,
  verifyTranslated,
} from "./stages.ts";
import { BarFault } from "./translate/bar-fault.ts";

const source = input(SOURCE);

const index = stage(
  "index",
  { needs: { source }, description: "Finds which day the rows of each file belong to." },
  indexFiles,
);

const translate = map(
  "translate",
  {
    needs: { source },
    over: index,
    key: toKey,
    cache: { version: "1", key: toTranslateKey },
    verify: verifyTranslated,
    onItemFailure: "continue",
    classify: (error) => (error instanceof BarFault ? "permanent" : undefined),
    retry: { attempts: 3, initialDelay: "100ms", jitter: "none" },
    timeout: "1m",
    description: "Writes each day in the time of Chicago, checked row by row.",
  },
  translateFiles,
);

const analyze = map(
  "analyze",
  {
    needs: { source },
    over: translate,
    cache: { version: "1", key: toAnalyzeKey },
    onItemFailure: "continue",
    retry: { attempts: 2, initialDelay: "100ms", jitter: "none" },
    timeout: settings.MARKET_DATA_ANALYZE_TIMEOUT,
    description: "Seven ranges a day, each with its breakout, by a program of its own.",
  },
  analyzeFile,
);

const merge = stage(
  "merge",
  {
    needs: { source, days: index, translated: translate, analyzed: analyze },
    classify: (error) => (error instanceof TableFault ? "permanent" : undefined),
    retry: { attempts: 3, initialDelay: "100ms", jitter: "none" },
    timeout: "1m",
    description: "Brings the monthly tables up to date, and counts.",
  },
  mergeTables,
);

export const marketData = pipeline("market-data", {
  input: source,
  output: { merge },
  maxActiveRuns: 1,
  deadline: "10m",
  description: "Minute bars of two instruments to monthly tables of breakouts.",
});
