// Access tokens besides the one of the token file: made, listed and revoked, each with a role and perhaps an end. Of
// a token's text only a hash is kept; it is shown once, when it is made. They live in the collection "tokens" by name,
// and whoever is asked asks the store, so that a revoked one is refused by every process at once.

import { MillraceError } from "../../model/errors.ts";
import {
  DURATION_MS_MAX,
  PAGE_ROWS_MAX,
  TOKEN_NAME_CHARS_MAX,
  TOKENS_MAX,
} from "../../model/limits.ts";
import { contextOf, type MillContext } from "../mill-context.ts";
import { isRole, ROLES, type Role } from "./identity.ts";
import { hashSecret, makeSecret } from "./secret.ts";
import { parseToken, type TokenRecord } from "./token-record.ts";

/** What a token is made with. */
export interface CreateTokenOptions {
  /** 1 to 64 letters, digits, dots, underscores and dashes; not "default". Unique among those in force. */
  readonly name: string;
  readonly role: Role;
  /** How long it is good for, ms, up to 366 days. Default: until it is revoked. */
  readonly expiresInMs?: number;
  /** Who makes it, for audit. Default "cli". */
  readonly actor?: string;
}

/** A token as it is listed: never its text. */
export interface TokenView {
  readonly name: string;
  readonly role: Role;
  readonly state: "active" | "expired" | "revoked";
  /** ISO 8601. */
  readonly createdAt: string;
  readonly createdBy: string;
  readonly expiresAt?: string;
  readonly revokedAt?: string;
}

/** A fresh token with its text, which cannot be shown again. */
export interface CreatedToken extends TokenView {
  readonly token: string;
}

/** Makes a token. OPTION_INVALID for its name, role or end, and where the name is taken. */
export async function createToken(
  mill: object,
  options: CreateTokenOptions,
): Promise<CreatedToken> {
  const context = contextOf(mill);
  checkOptions(options);
  const nowMs = context.store.nowMs();
  const before = await context.store.findRecord("tokens", options.name);
  const known = before === undefined ? undefined : parseToken(before);
  if (known !== undefined && stateOf(known, nowMs) === "active") throw nameTaken(options.name);
  if (before === undefined) await refuseTooMany(context);
  const secret = makeSecret(context.world.random);
  const token: TokenRecord = {
    id: context.nextId(),
    name: options.name,
    hash: hashSecret(secret),
    role: options.role,
    createdAtMs: nowMs,
    createdBy: options.actor ?? "cli",
    expiresAtMs: options.expiresInMs === undefined ? null : nowMs + options.expiresInMs,
    revokedAtMs: null,
  };
  const isKept = await keep(context, {
    token,
    expected: before?.revision ?? 0,
    actor: token.createdBy,
  });
  if (!isKept) throw nameTaken(options.name);
  return { ...toView(token, nowMs), token: `${TOKEN_PREFIX}${options.name}.${secret}` };
}

/** All tokens, in order of name, at most TOKENS_MAX. */
export async function listTokens(mill: object): Promise<readonly TokenView[]> {
  return await readTokens(contextOf(mill));
}

async function readTokens({ store }: MillContext): Promise<readonly TokenView[]> {
  const nowMs = store.nowMs();
  const found: TokenView[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await store.listRecords({
      collection: "tokens",
      limit: PAGE_ROWS_MAX,
      ...(after === undefined ? {} : { after }),
    });
    // A damaged one lets nobody in, and says nothing worth showing.
    found.push(...page.map(parseToken).flatMap((each) => (each ? [toView(each, nowMs)] : [])));
    after = page.at(-1)?.key;
    if (page.length < PAGE_ROWS_MAX || found.length >= TOKENS_MAX) return found;
  }
}

/** Refuses a token from now on. Revoking a revoked one changes nothing. TOKEN_UNKNOWN. */
export async function revokeToken(
  mill: object,
  name: string,
  options: { readonly actor?: string } = {},
): Promise<TokenView> {
  const context = contextOf(mill);
  for (;;) {
    const record = await context.store.findRecord("tokens", name.slice(0, TOKEN_NAME_CHARS_MAX));
    const token = record === undefined ? undefined : parseToken(record);
    if (record === undefined || token === undefined) throw tokenUnknown(name);
    const nowMs = context.store.nowMs();
    if (token.revokedAtMs !== null) return toView(token, nowMs);
    const revoked = { ...token, revokedAtMs: nowMs };
    const actor = options.actor ?? "cli";
    // Somebody else may have changed it meanwhile: then it is looked at again.
    if (await keep(context, { token: revoked, expected: record.revision, actor })) {
      return toView(revoked, nowMs);
    }
  }
}

/** With what every token of ours begins, so that scanners of leaked secrets know it. */
export const TOKEN_PREFIX = "mlr_";

/** Whether a token is good now. */
export function stateOf(token: TokenRecord, nowMs: number): TokenView["state"] {
  if (token.revokedAtMs !== null) return "revoked";
  return token.expiresAtMs !== null && token.expiresAtMs <= nowMs ? "expired" : "active";
}

interface Keep {
  readonly token: TokenRecord;
  readonly expected: number;
  readonly actor: string;
}

async function keep(context: MillContext, { token, expected, actor }: Keep): Promise<boolean> {
  const { name, ...value } = token;
  const type = token.revokedAtMs === null ? "token.created" : "token.revoked";
  const result = await context.committer.write({
    kind: "put-records",
    puts: [{ collection: "tokens", key: name, expected, value: { ...value } }],
    events: [{ type, data: { token: name, role: token.role, actor } }],
  });
  return result.kind === "recorded";
}

function checkOptions({ name, role, expiresInMs }: CreateTokenOptions): void {
  if (!IS_NAME.test(name) || name === "default") {
    throw new MillraceError("OPTION_INVALID", `A token cannot be called "${name.slice(0, 100)}".`, {
      hint: `1 to ${TOKEN_NAME_CHARS_MAX} letters, digits, dots, underscores and dashes, beginning with a letter or digit; "default" is the token of the token file`,
    });
  }
  if (!isRole(role)) {
    throw new MillraceError("OPTION_INVALID", `There is no role "${String(role)}".`, {
      hint: `one of ${ROLES.join(", ")}`,
    });
  }
  const isBounded =
    expiresInMs === undefined ||
    (Number.isSafeInteger(expiresInMs) && expiresInMs > 0 && expiresInMs <= DURATION_MS_MAX);
  if (isBounded) return;
  throw new MillraceError("OPTION_INVALID", `A token cannot expire after ${expiresInMs} ms.`, {
    hint: "1 ms to 366 days",
  });
}

const IS_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

async function refuseTooMany(context: MillContext): Promise<void> {
  const known = await readTokens(context);
  if (known.length < TOKENS_MAX) return;
  throw new MillraceError("OPTION_INVALID", `There are ${TOKENS_MAX} tokens already.`, {
    hint: "take the name of a revoked one",
  });
}

function nameTaken(name: string): MillraceError {
  return new MillraceError("OPTION_INVALID", `There is a token "${name}" already.`, {
    hint: "revoke it first, or take another name",
    next: `npx millrace token revoke ${name}`,
  });
}

function tokenUnknown(name: string): MillraceError {
  return new MillraceError("TOKEN_UNKNOWN", `There is no token "${name.slice(0, 100)}".`, {
    next: "npx millrace token list",
  });
}

function toView(token: TokenRecord, nowMs: number): TokenView {
  const { name, role, createdAtMs, createdBy, expiresAtMs, revokedAtMs } = token;
  return {
    name,
    role,
    state: stateOf(token, nowMs),
    createdAt: new Date(createdAtMs).toISOString(),
    createdBy,
    ...(expiresAtMs === null ? {} : { expiresAt: new Date(expiresAtMs).toISOString() }),
    ...(revokedAtMs === null ? {} : { revokedAt: new Date(revokedAtMs).toISOString() }),
  };
}
