// Imported first by a process of its own for one attempt, so that it finds a pipeline file as the command does.

import { installModuleHooks } from "./module-hooks.ts";

installModuleHooks();
