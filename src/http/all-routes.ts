// Every route there is, in one table: what is not in it does not exist.

import type { Route } from "./route.ts";
import { PROBE_ROUTES } from "./routes/health-probes.ts";
import { SESSION_ROUTES } from "./routes/session.ts";

/** The routes of the API. */
export const ALL_ROUTES: readonly Route[] = [...PROBE_ROUTES, ...SESSION_ROUTES];
