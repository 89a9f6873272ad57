// A stage that blocks its whole process, until there is a file.

import { existsSync, writeFileSync } from "node:fs";
import { pipeline, stage } from "millrace";

const spin = stage("spin", {}, () => {
  writeFileSync("at-open", "");
  // No turn of the loop, so that neither a signal nor a lost lease is heard.
  while (!existsSync("open"));
  return "far too late";
});
const after = stage("after", { needs: { spin } }, () => {
  writeFileSync("at-after", "");
  return "never";
});

export const stuck = pipeline("stuck", { output: { after } });
