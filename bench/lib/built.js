// Starts the built command as an installed package would: compile cache on, `dist` and not the sources.
import module from "node:module";

module.enableCompileCache();
await import("../../dist/cli/main.js");
