// A pipeline for tests of waits: two items have the only permits until `open` is there, the third waits.

import { existsSync, writeFileSync } from "node:fs";
import { map, pipeline, resource } from "millrace";

const api = resource("api", { limit: 2 });

const rows = map(
  "rows",
  { over: ["a", "b", "c"], key: (item) => item, uses: [api] },
  async (item, _needs, ctx) => {
    writeFileSync(`at-${item}`, "");
    while (!existsSync("open")) await ctx.sleep("20ms");
    return item;
  },
);

export const held = pipeline("held", { output: { rows } });
