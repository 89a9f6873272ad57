// Resources: how they stand, and the orders that people give them. Each order is an event with who gave it.

import {
  overrideBody,
  resetBody,
  resourceQuery,
  resourcesAnswer,
  resourcesQuery,
  tripBody,
} from "../contract/resource.ts";
import { resourceParams } from "../contract/reading.ts";
import { defineRoute, type Route } from "../route.ts";

const list = defineRoute({
  method: "GET",
  path: "/api/v1/resources",
  access: "read",
  tag: "resources",
  summary: "lists limits, quotas and breakers, also those that nobody has used yet",
  query: resourcesQuery,
  result: resourcesAnswer,
  etag: true,
  handle: async ({ query, http }) => ({
    json: { schema: "millrace.resources/1" as const, ...(await http.mill.resources(query)) },
  }),
});

const show = defineRoute({
  method: "GET",
  path: "/api/v1/resources/{name}",
  access: "read",
  tag: "resources",
  summary: "lists the keys of one resource, or shows one of them",
  params: resourceParams,
  query: resourceQuery,
  result: resourcesAnswer,
  etag: true,
  handle: async ({ params, query, http }) => {
    const page = await http.mill.resources({ ...query, resource: params.name });
    return { json: { schema: "millrace.resources/1" as const, ...page } };
  },
});

const override = defineRoute({
  method: "PUT",
  path: "/api/v1/resources/{name}/override",
  access: "operate",
  tag: "resources",
  summary: "sets another limit or other quotas, for all processes at once",
  params: resourceParams,
  body: overrideBody,
  result: resourcesAnswer,
  handle: async ({ params, body, http, actor }) => {
    const view = await http.mill.setResource(params.name, { ...body, actor });
    return { json: { schema: "millrace.resources/1" as const, resources: [view] } };
  },
});

const trip = defineRoute({
  method: "POST",
  path: "/api/v1/resources/{name}/trip",
  access: "operate",
  tag: "resources",
  summary: "opens a breaker by hand",
  params: resourceParams,
  body: tripBody,
  result: resourcesAnswer,
  handle: async ({ params, body, http, actor }) => {
    const view = await http.mill.tripResource(params.name, { ...body, actor });
    return { json: { schema: "millrace.resources/1" as const, resources: [view] } };
  },
});

const reset = defineRoute({
  method: "POST",
  path: "/api/v1/resources/{name}/reset",
  access: "operate",
  tag: "resources",
  summary: "lifts what was set and what the other side asked for, and closes the breaker",
  params: resourceParams,
  body: resetBody,
  result: resourcesAnswer,
  handle: async ({ params, body, http, actor }) => {
    const view = await http.mill.resetResource(params.name, { ...body, actor });
    return { json: { schema: "millrace.resources/1" as const, resources: [view] } };
  },
});

/** Routes of resources. */
export const RESOURCE_ROUTES: readonly Route[] = [list, show, override, trip, reset];
