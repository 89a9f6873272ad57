#!/usr/bin/env node
// Plain old JavaScript on purpose: an older Node cannot parse what follows, so the version is judged
// before anything else is imported. Starts `dist` when it was built, else the sources.
"use strict";

var required = [24, 15, 0];
var found = process.versions.node.split(".").map(Number);
var older = false;
for (var index = 0; index < 3; index += 1) {
  if (found[index] === required[index]) continue;
  older = found[index] < required[index];
  break;
}

if (older) {
  process.stderr.write(
    "error: millrace needs Node " + required.join(".") + " or newer, this is " + process.versions.node + ".\n" +
      "  hint   its embedded SQLite must be 3.51.3 or newer, which older releases do not carry\n" +
      "  next   npx --package=node@24 node --version\n" +
      "  code   NODE_TOO_OLD (exit 2)\n"
  );
  process.exitCode = 2;
} else {
  require("node:module").enableCompileCache();
  start();
}

function start() {
  var path = require("node:path");
  var fs = require("node:fs");
  var url = require("node:url");
  var root = path.dirname(__dirname);
  var built = path.join(root, "dist", "cli", "main.js");
  var source = path.join(root, "src", "cli", "main.ts");
  // A checkout that was once built still runs its sources, so that nobody debugs yesterday's build.
  var entry = fs.existsSync(source) ? source : built;
  import(url.pathToFileURL(entry).href);
}
