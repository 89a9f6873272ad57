// Starts the built command as an installed package would: compile cache on, `dist` and not the sources.

process.getBuiltinModule("node:module").enableCompileCache();
await import("../../dist/cli/main.js");
