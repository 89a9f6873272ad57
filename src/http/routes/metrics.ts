// Figures for who watches many processes: in the format of Prometheus. They name pipelines and resources, so that they
// need a token. Figures are counted from the first request on.

import type { Metrics } from "../../service/listeners/metrics.ts";
import type { HttpContext } from "../http-context.ts";
import { defineRoute, type Route } from "../route.ts";

const metrics = defineRoute({
  method: "GET",
  path: "/metrics",
  access: "read",
  control: true,
  tag: "probes",
  summary: "gives the figures of this service in the format of Prometheus",
  handle: async ({ http }) => {
    const { text, contentType } = await (await openMetrics(http)).read();
    return new Response(text, { headers: { "content-type": contentType } });
  },
});

/** Routes of figures. */
export const METRICS_ROUTES: readonly Route[] = [metrics];

/** One per mill, however many servers offer it. */
const opened = new WeakMap<object, Promise<Metrics>>();

function openMetrics({ mill, bus }: HttpContext): Promise<Metrics> {
  const known = opened.get(mill);
  if (known !== undefined) return known;
  const made = import("../../service/listeners/metrics.ts").then(
    (module) => new module.Metrics(mill, bus),
  );
  opened.set(mill, made);
  // Who reads too many events now may read fewer later.
  made.catch(() => opened.delete(mill));
  return made;
}
