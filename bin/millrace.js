#!/usr/bin/env node
// Plain old JavaScript on purpose: an older Node cannot parse what follows, so the version is judged
// before any file of ours is loaded. Nothing is imported: a missing module or name would stop the file before it
// could say why, and an import of `node:fs` touches each of its exports, which loads what few starts need.
// In a checkout it starts the sources, also when they were once built, so that nobody debugs
// yesterday's build; in an installed package it starts `dist`.
const required = [24, 15, 0];

if (isOlder(process.versions.node)) {
  process.stderr.write(
    `error: millrace needs Node ${required.join(".")} or newer, this is ${process.versions.node}.\n` +
      "  hint   its embedded SQLite must be 3.51.3 or newer, which older releases do not carry\n" +
      "  next   npm install --save-dev node@24\n" +
      "  code   NODE_TOO_OLD (exit 2)\n",
  );
  process.exitCode = 2;
} else {
  // Halves the start of a small command; it never fails, it only reports that it could not.
  process.getBuiltinModule("node:module").enableCompileCache();
  start();
}

/** Whether this version stands before the required one. A pre-release counts as its release. */
function isOlder(version) {
  const found = version.split(".").map((part) => parseInt(part, 10));
  for (let index = 0; index < required.length; index += 1) {
    if (found[index] !== required[index]) return found[index] < required[index];
  }
  return false;
}

function start() {
  const sources = new URL("../src/cli/main.ts", import.meta.url);
  const built = new URL("../dist/cli/main.js", import.meta.url);
  const entry = process.getBuiltinModule("node:fs").existsSync(sources) ? sources : built;
  import(entry.href).catch((error) => {
    process.stderr.write(`error: millrace could not start.\n${error.stack}\n`);
    process.exitCode = 6;
  });
}
