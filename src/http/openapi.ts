// The OpenAPI 3.1 document of a route table. Schemas are those that requests are checked by and answers are made to, so
// that it cannot say anything else; shapes with a name of their own become components.

import * as z from "zod";
import { ERROR_CODES } from "../model/errors.ts";
import { errorAnswer } from "./contract/document.ts";
import { statusOf } from "./error-status.ts";
import type { Route } from "./route.ts";

/** JSON Schema (2020-12). */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A parameter of a path or query. */
export interface ApiParameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
}

/** Content by type. */
type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>;

/** What may be answered. */
export interface ApiResponse {
  readonly description: string;
  readonly content?: Content;
}

/** One route. */
export interface ApiOperation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters: readonly ApiParameter[];
  readonly requestBody?: { readonly required: true; readonly content: Content };
  readonly responses: Readonly<Record<string, ApiResponse | { readonly $ref: string }>>;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  /** Role that it asks for: `public`, `read`, `operate`, `admin`. */
  readonly "x-role": Route["access"];
}

/** The whole document. */
export interface OpenApiDocument {
  readonly openapi: "3.1.1";
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly responses: Readonly<Record<string, ApiResponse>>;
    readonly securitySchemes: Readonly<Record<string, JsonSchema>>;
  };
}

/** Makes the document. `basePath`: prefix of every path, empty for none. */
export function makeOpenApi(
  routes: readonly Route[],
  { version, basePath }: { readonly version: string; readonly basePath: string },
): OpenApiDocument {
  const schemas = new SchemaWriter();
  const paths: Record<string, Record<string, ApiOperation>> = {};
  for (const route of routes) {
    const place = (paths[route.path] ??= {});
    place[route.method.toLowerCase()] = toOperation(route, schemas);
  }
  const error = schemas.write(errorAnswer, "output");
  return {
    openapi: "3.1.1",
    info: {
      title: "millrace",
      version,
      description:
        "Fields are only added within a version; what is not known is to be passed over.",
    },
    servers: [{ url: basePath === "" ? "/" : basePath }],
    tags: [...new Set(routes.map(({ tag }) => tag))].toSorted().map((name) => ({ name })),
    paths,
    components: {
      responses: Object.fromEntries(
        listStatuses().map(([status, codes]) => [
          `Error${status}`,
          {
            description: codes.join(", "),
            content: { "application/json": { schema: error } },
          },
        ]),
      ),
      schemas: schemas.components,
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        session: { type: "apiKey", in: "cookie", name: "millrace_session" },
      },
    },
  };
}

/** Every status of a refusal with the codes that answer it. */
function listStatuses(): readonly (readonly [status: number, codes: readonly string[]])[] {
  const found = new Map<number, string[]>();
  for (const code of ERROR_CODES) {
    const status = statusOf(code);
    found.set(status, [...(found.get(status) ?? []), code]);
  }
  return [...found].toSorted(([left], [right]) => left - right);
}

function toOperation(route: Route, schemas: SchemaWriter): ApiOperation {
  const { method, path, access, summary, tag } = route;
  return {
    operationId: toOperationId(method, path),
    summary,
    tags: [tag],
    parameters: [
      ...toParameters(route.params, "path", schemas),
      ...toParameters(route.query, "query", schemas),
      ...(isIdempotent(route) ? [IDEMPOTENCY_KEY] : []),
    ],
    ...toBody(route, schemas),
    responses: {
      ...toSuccess(route, schemas),
      ...Object.fromEntries(
        listRefusals(route).map((status) => [
          String(status),
          { $ref: `#/components/responses/Error${status}` },
        ]),
      ),
    },
    security: access === "public" ? [{}] : [{ bearer: [] }, { session: [] }],
    "x-role": access,
  };
}

/** `GET /api/v1/runs/{run}/stages` is `getRunsRunStages`; what lies beside the API is `getRoot…`. */
function toOperationId(method: string, path: string): string {
  const words = path
    .replace(/^(?!\/api\/v1\/)/, "/root/")
    .replace(/^\/api\/v1/, "")
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== "");
  return [
    method.toLowerCase(),
    ...words.map((word) => word[0]?.toUpperCase() + word.slice(1)),
  ].join("");
}

const IDEMPOTENCY_KEY: ApiParameter = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description: "Asked again with the same key, the first answer comes again.",
  schema: { type: "string" },
};

function isIdempotent({ idempotent, method }: Route): boolean {
  return idempotent ?? method === "POST";
}

function toParameters(
  schema: z.ZodType | undefined,
  place: "path" | "query",
  schemas: SchemaWriter,
): readonly ApiParameter[] {
  if (schema === undefined) return [];
  const whole = schemas.write(schema, "input");
  const properties = isSchema(whole["properties"]) ? whole["properties"] : {};
  const required = Array.isArray(whole["required"]) ? whole["required"] : [];
  return Object.entries(properties).map(([name, value]) => {
    const { description, ...rest } = isSchema(value) ? value : {};
    return {
      name,
      in: place,
      required: place === "path" || required.includes(name),
      ...(typeof description === "string" ? { description } : {}),
      schema: rest,
    };
  });
}

function toBody(route: Route, schemas: SchemaWriter): Pick<ApiOperation, "requestBody"> | object {
  const { body, bodyType = "application/json" } = route;
  if (bodyType !== "application/json")
    return { requestBody: { required: true, content: { [bodyType]: { schema: TEXT } } } };
  if (body === undefined) return {};
  const schema = schemas.write(body, "input");
  return { requestBody: { required: true, content: { [bodyType]: { schema } } } };
}

const TEXT: JsonSchema = { type: "string" };

function toSuccess(route: Route, schemas: SchemaWriter): Readonly<Record<string, ApiResponse>> {
  const { result, summary } = route;
  const content =
    result === undefined
      ? {}
      : { content: { "application/json": { schema: schemas.write(result, "output") } } };
  const tagged: Readonly<Record<string, ApiResponse>> =
    route.etag === true ? { 304: { description: "As the tag that was sent says." } } : {};
  const answer = { description: summary, ...content };
  const created = isIdempotent(route) ? { 201: answer, 202: answer } : {};
  return { 200: answer, ...created, ...tagged };
}

/** What may refuse a route, from what it is: each status has its codes among the components. */
function listRefusals(route: Route): readonly number[] {
  const isKnown = route.access !== "public";
  const takesBody = route.body !== undefined || route.bodyType !== undefined;
  const isChange = route.method !== "GET";
  return [
    400,
    ...(isKnown ? [401, 403] : []),
    ...(route.params === undefined ? [] : [404]),
    ...(isChange ? [409] : []),
    ...(takesBody ? [413] : []),
    ...(takesBody || route.params !== undefined || route.query !== undefined ? [422] : []),
    429,
    500,
    503,
  ];
}

/** Writes schemas, and collects those that have a name. */
class SchemaWriter {
  readonly components: Record<string, JsonSchema> = {};

  /** What comes in names its parts apart from what goes out: the one refuses what it does not know. */
  write(schema: z.ZodType, io: "input" | "output"): JsonSchema {
    const suffix = io === "input" ? "Input" : "";
    const made: unknown = z.toJSONSchema(schema, {
      io,
      unrepresentable: "any",
      override: ({ jsonSchema }) => tidy(jsonSchema, io),
    });
    const { $schema: _dialect, $defs, ...whole } = isSchema(made) ? made : {};
    for (const [name, part] of Object.entries(isSchema($defs) ? $defs : {}))
      this.components[`${name}${suffix}`] = toLocal(part, suffix);
    const id = whole["id"];
    const local = toLocal(whole, suffix);
    if (typeof id !== "string") return local;
    this.components[`${id}${suffix}`] = local;
    return { $ref: `#/components/schemas/${id}${suffix}` };
  }
}

/** Fields are added within a version, so that what goes out is open; a number that comes as text is told as one. */
function tidy(schema: Record<string, unknown>, io: "input" | "output"): void {
  if (io === "output" && schema["additionalProperties"] === false)
    delete schema["additionalProperties"];
  if (io === "input" && typeof schema["minimum"] === "number" && schema["type"] === "string") {
    schema["type"] = "integer";
    delete schema["pattern"];
  }
}

/** The same with its references where the document has them. */
function toLocal(value: unknown, suffix: string): JsonSchema {
  const walked = walk(value, suffix);
  if (!isSchema(walked)) return {};
  const { id: _id, ...rest } = walked;
  return rest;
}

function walk(value: unknown, suffix: string): unknown {
  if (Array.isArray(value)) return value.map((part: unknown) => walk(part, suffix));
  if (!isSchema(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) =>
      key === "$ref" && typeof part === "string"
        ? [key, `${part.replace("#/$defs/", "#/components/schemas/")}${suffix}`]
        : [key, walk(part, suffix)],
    ),
  );
}

function isSchema(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
