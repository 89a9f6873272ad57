// What the outside may be asked at once, by whom, and when not: per host of documents, and per service that helps
// to find them. Counted over all workers of a store.
import { hostKey, resource } from "millrace";
import type { Context } from "millrace";
import type { Hold } from "./net/client.ts";
import { toPace } from "./pace.ts";
import type { ResolverName } from "./resolve/resolver.ts";

/**
 * A host of documents: four requests at once, seven in a burst, then one each second. Five failures in a row, of
 * whichever documents, and it is left alone for a minute, then longer and longer.
 */
export const host = resource("host", {
  key: (address: string) => hostKey(address),
  limit: 4,
  quota: [
    { rate: 1, per: toPace(1), burst: 7 },
    { rate: 5_000, per: "1h" },
  ],
  breaker: { threshold: 5, recovery: toPace(60) },
});

/** A service that resolvers ask. */
export const service = resource("service", {
  key: (resolver: ResolverName) => resolver,
  limit: { default: 4, keys: { metadata: 2 } },
  breaker: { threshold: 3, recovery: toPace(45), successes: 2 },
});

/**
 * Holds the host around each request, and around those of a resolver the service as well: both or neither. The quotas
 * of a host are for fetching documents; looking for them is free.
 */
export function holdFor(context: Context, resolver: ResolverName | null): Hold {
  return ({ url, method }, block) => {
    const isLooking = resolver !== null || method === "HEAD";
    const asked = host.for(url, isLooking ? { cost: 0 } : {});
    return context.use(resolver === null ? asked : [service.for(resolver), asked], block);
  };
}
