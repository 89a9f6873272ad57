// What the API says of itself: its OpenAPI document, and the same as a page.

import { toOutline } from "../api-outline.ts";
import { API_PAGE_CSS, renderApiPage } from "../api-page.ts";
import type { HttpContext } from "../http-context.ts";
import { makeOpenApi, type OpenApiDocument } from "../openapi.ts";
import { defineRoute, type Route } from "../route.ts";

/** Routes that describe a table, themselves among it. `table` is asked when one is called. */
export function makeDescriptionRoutes(table: () => readonly Route[]): readonly Route[] {
  const made = new WeakMap<object, OpenApiDocument>();
  const documentOf = (http: HttpContext): OpenApiDocument => {
    const known = made.get(http) ?? makeOpenApi(table(), http);
    made.set(http, known);
    return known;
  };
  const document = defineRoute({
    method: "GET",
    path: "/api/v1/openapi.json",
    access: "read",
    tag: "api",
    summary: "gives this API as an OpenAPI 3.1 document",
    etag: true,
    handle: ({ http }) => ({ json: documentOf(http) }),
  });
  const page = defineRoute({
    method: "GET",
    path: "/api",
    access: "read",
    tag: "api",
    summary: "shows this API as a page without scripts",
    handle: ({ http }) =>
      new Response(renderApiPage(toOutline(documentOf(http)), http.version), {
        headers: { "content-type": "text/html; charset=utf-8" },
      }),
  });
  const style = defineRoute({
    method: "GET",
    path: "/api/page.css",
    access: "public",
    tag: "api",
    summary: "gives the style of that page",
    handle: () =>
      new Response(API_PAGE_CSS, { headers: { "content-type": "text/css; charset=utf-8" } }),
  });
  return [document, page, style];
}
