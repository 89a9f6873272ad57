// What may be asked without a token: whether the process lives, and whether it can take work. Words only, no detail.

import * as z from "zod";
import { StoreProbe } from "../../service/health/store-probe.ts";
import { jsonAnswer } from "../answers/answer.ts";
import { defineRoute, type Route } from "../route.ts";
import type { HttpContext } from "../http-context.ts";

/** Why it is not as it should be. */
const REASONS = z.enum(["stopping", "store"]);

const health = defineRoute({
  method: "GET",
  path: "/health",
  access: "public",
  control: true,
  tag: "probes",
  summary: "whether the process lives; 200 also where it is degraded",
  result: z.strictObject({ status: z.enum(["ok", "degraded"]), reasons: z.array(REASONS) }),
  handle: async ({ http }) => {
    const reasons = await listReasons(http);
    return { json: { status: reasons.length === 0 ? "ok" : "degraded", reasons } };
  },
});

const ready = defineRoute({
  method: "GET",
  path: "/ready",
  access: "public",
  control: true,
  tag: "probes",
  summary: "whether it takes work: 200, or 503 with the reason",
  result: z.strictObject({ ready: z.boolean(), reasons: z.array(REASONS) }),
  handle: async ({ http }) => {
    const reasons = await listReasons(http);
    const isReady = reasons.length === 0;
    return jsonAnswer(JSON.stringify({ ready: isReady, reasons }), isReady ? 200 : 503);
  },
});

/** Routes for whoever watches the process from outside. */
export const PROBE_ROUTES: readonly Route[] = [health, ready];

/** One probe per mill, so that its answer is shared by both routes. */
const probes = new WeakMap<object, StoreProbe>();

async function listReasons(http: HttpContext): Promise<z.infer<typeof REASONS>[]> {
  const probe = probes.get(http.mill) ?? new StoreProbe(http.mill);
  probes.set(http.mill, probe);
  const isStopping = http.isStopping();
  const isWell = await probe.isWell();
  return [...(isStopping ? (["stopping"] as const) : []), ...(isWell ? [] : (["store"] as const))];
}
