// What the outside may be asked at once, by whom, and when not: per host of documents, and per service that helps
// to find them. Counted over all workers of a store.
import { resource } from "millrace";
import type { Context } from "millrace";
import { toHostKey } from "./net/check-url.ts";
import type { Hold } from "./net/client.ts";
import { toPace } from "./pace.ts";
import type { ResolverName } from "./resolve/resolver.ts";

/** False while the engine refuses pipelines that use resources. */
export const HAS_RESOURCES: boolean = false;

/** A host of documents: four requests at once, seven in a burst, then one each second. */
export const host = resource("host", {
  key: toHostKey,
  limit: 4,
  quota: [
    { rate: 1, per: toPace(1), burst: 7 },
    { rate: 5_000, per: "1h" },
  ],
  // `fail`: a dead host ends its runs with a reason, and retry-failed takes them up when it is back.
  breaker: { threshold: 5, recovery: toPace(60), whenOpen: "fail" },
});

/** A service that resolvers ask. */
export const service = resource("service", {
  key: (resolver: ResolverName) => resolver,
  limit: { default: 4, keys: { metadata: 2 } },
  breaker: { threshold: 3, recovery: toPace(45), successes: 2, whenOpen: "fail" },
});

/** Holds a resource around each request of a resolver, and none of them around another. Looking is free. */
export function holdFor(context: Context, resolver: ResolverName | null): Hold {
  if (!HAS_RESOURCES) return (_request, block) => block();
  return ({ url, method }, block) => {
    if (resolver !== null) return context.use(service.for(resolver), block);
    return context.use(host.for(url, method === "HEAD" ? { cost: 0 } : {}), block);
  };
}
