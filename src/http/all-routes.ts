// Every route there is, in one table: what is not in it does not exist.

import type { Route } from "./route.ts";
import { makeDescriptionRoutes } from "./routes/description-routes.ts";
import { STREAM_ROUTES } from "./live/live-stream.ts";
import { EVENT_ROUTES } from "./routes/event-routes.ts";
import { FAILURE_ROUTES } from "./routes/failure-routes.ts";
import { HEALTH_ROUTES } from "./routes/health-routes.ts";
import { PROBE_ROUTES } from "./routes/health-probes.ts";
import { METRICS_ROUTES } from "./routes/metrics.ts";
import { OPERATION_ROUTES } from "./routes/operation-routes.ts";
import { PIPELINE_ROUTES } from "./routes/pipeline-routes.ts";
import { QUEUE_ROUTES } from "./routes/queue-routes.ts";
import { RESOURCE_ROUTES } from "./routes/resource-routes.ts";
import { RUN_ACTION_ROUTES } from "./routes/run-action-routes.ts";
import { RUN_ROUTES } from "./routes/run-routes.ts";
import { SCHEDULE_ROUTES } from "./routes/schedule-routes.ts";
import { SERIES_ROUTES } from "./routes/series-routes.ts";
import { SESSION_ROUTES } from "./routes/session.ts";
import { TOKEN_ROUTES } from "./routes/token-routes.ts";

/** The routes of the API. */
export const ALL_ROUTES: readonly Route[] = [
  ...PROBE_ROUTES,
  ...METRICS_ROUTES,
  ...SESSION_ROUTES,
  ...PIPELINE_ROUTES,
  ...RUN_ROUTES,
  ...RUN_ACTION_ROUTES,
  ...QUEUE_ROUTES,
  ...RESOURCE_ROUTES,
  ...SERIES_ROUTES,
  ...SCHEDULE_ROUTES,
  ...HEALTH_ROUTES,
  ...FAILURE_ROUTES,
  ...EVENT_ROUTES,
  ...STREAM_ROUTES,
  ...OPERATION_ROUTES,
  ...TOKEN_ROUTES,
  ...makeDescriptionRoutes(() => ALL_ROUTES),
];
