import assert from "node:assert/strict";
import { test } from "vitest";
import { dropPassages } from "./passages.ts";

const PASSAGE = `import{t as open,u as close}from"./store-1.js";export{open,close as shut};`;

function drop(files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(dropPassages(new Map(Object.entries(files))));
}

test("whoever would go through a passage imports the chunk behind it, by the same names", () => {
  assert.deepEqual(
    drop({
      "chunks/open-1.js": PASSAGE,
      "chunks/base-1.js": "const{open}=await import(`./open-1.js`);",
      "cli/main.js": `const a=()=>import("../chunks/open-1.js");`,
    }),
    {
      "chunks/base-1.js": `const{open}=await import("./store-1.js").then(chunk=>({open:chunk.t,shut:chunk.u}));`,
      "cli/main.js": `const a=()=>import("../chunks/store-1.js").then(chunk=>({open:chunk.t,shut:chunk.u}));`,
    },
  );
});

test("a door stays, and so does a file that does more than give names back", () => {
  const files = {
    "exports/index.js": PASSAGE,
    "chunks/open-1.js": `${PASSAGE}open();`,
    "chunks/base-1.js": `import("./open-1.js");`,
  };

  assert.deepEqual(drop(files), files);
});
