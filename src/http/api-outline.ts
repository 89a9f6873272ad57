// The API as people read it, from its OpenAPI document: by subject, each route with who may call it, what it takes and
// what it answers. The page of the server and the reference are both made of this.

import type { ApiOperation, JsonSchema, OpenApiDocument } from "./openapi.ts";

/** A value that a route takes. */
export interface OutlineField {
  readonly name: string;
  readonly place: "path" | "query" | "header" | "body";
  readonly isRequired: boolean;
  /** In words: `integer`, `queued or running`, `list of string`. */
  readonly type: string;
  readonly description: string;
}

/** A route. */
export interface OutlineRoute {
  readonly method: string;
  readonly path: string;
  readonly role: string;
  readonly summary: string;
  readonly fields: readonly OutlineField[];
  /** Name of the document that it answers; empty: none of ours. */
  readonly answer: string;
}

/** A subject with its routes. */
export interface OutlineSubject {
  readonly name: string;
  readonly routes: readonly OutlineRoute[];
}

/** Subjects in order of name, routes in order of their paths. */
export function toOutline(document: OpenApiDocument): readonly OutlineSubject[] {
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      tag: operation.tags[0] ?? "",
      route: toRoute(document, { method: method.toUpperCase(), path, operation }),
    })),
  );
  return document.tags.map(({ name }) => ({
    name,
    routes: routes
      .filter(({ tag }) => tag === name)
      .map(({ route }) => route)
      .toSorted((left, right) => (left.path < right.path ? -1 : left.path > right.path ? 1 : 0)),
  }));
}

interface Placed {
  readonly method: string;
  readonly path: string;
  readonly operation: ApiOperation;
}

function toRoute(document: OpenApiDocument, { method, path, operation }: Placed): OutlineRoute {
  return {
    method,
    path,
    role: operation["x-role"],
    summary: operation.summary,
    fields: [
      ...operation.parameters.map(({ name, in: place, required, schema, description }) => ({
        name,
        place,
        isRequired: required,
        type: sayType(schema),
        description: description ?? "",
      })),
      ...listBody(document, operation),
    ],
    answer: sayAnswer(operation),
  };
}

function listBody(document: OpenApiDocument, operation: ApiOperation): readonly OutlineField[] {
  const [content] = Object.entries(operation.requestBody?.content ?? {});
  if (content === undefined) return [];
  const [type, { schema }] = content;
  const whole = resolve(document, schema);
  const properties = asRecord(whole["properties"]);
  if (properties === undefined)
    return [{ name: "(body)", place: "body", isRequired: true, type, description: "" }];
  const required = Array.isArray(whole["required"]) ? whole["required"] : [];
  return Object.entries(properties).map(([name, part]) => {
    const field = asRecord(part) ?? {};
    return {
      name,
      place: "body",
      isRequired: required.includes(name),
      type: sayType(field),
      description: typeof field["description"] === "string" ? field["description"] : "",
    };
  });
}

function sayAnswer({ responses }: ApiOperation): string {
  const success = responses["200"];
  const content = success === undefined || "$ref" in success ? undefined : success.content;
  const ref = content?.["application/json"]?.schema["$ref"];
  return typeof ref === "string" ? nameOf(ref) : content === undefined ? "" : "JSON";
}

const WORDS_MAX = 8;

function sayType(schema: JsonSchema): string {
  const { $ref: ref, type, anyOf } = schema;
  if (typeof ref === "string") return nameOf(ref);
  const words: unknown = schema["enum"] ?? (schema["const"] === undefined ? [] : [schema["const"]]);
  if (Array.isArray(words) && words.length > 0 && words.length <= WORDS_MAX)
    return words.map((word) => JSON.stringify(word)).join(" or ");
  if (Array.isArray(anyOf)) return anyOf.map((part) => sayType(asRecord(part) ?? {})).join(" or ");
  if (type === "array") return `list of ${sayType(asRecord(schema["items"]) ?? {})}`;
  if (Array.isArray(type)) return type.join(" or ");
  return typeof type === "string" ? type : "any";
}

function resolve(document: OpenApiDocument, schema: JsonSchema): JsonSchema {
  const ref = schema["$ref"];
  if (typeof ref !== "string") return schema;
  return document.components.schemas[nameOf(ref)] ?? {};
}

function nameOf(ref: string): string {
  return ref.slice(ref.lastIndexOf("/") + 1);
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? { ...value }
    : undefined;
}
