// Operations as they are asked for: a preview, a start with the count that was shown, a list, and an end before its
// time. A start is refused where the count has changed by more than a tenth: then somebody should look again.

import { MillraceError } from "../../model/errors.ts";
import { OPERATION_KEPT_MS, OPERATION_SILENT_MS_MAX } from "../../model/limits.ts";
import type { RecordPut, StoreRecord } from "../../storage/records/record-write.ts";
import { contextOf, type MillContext } from "../mill-context.ts";
import { checkPageLimit } from "../queries/page-limit.ts";
import {
  parseOperation,
  toOperationView,
  type OperationAction,
  type OperationFilter,
  type OperationRecord,
  type OperationView,
} from "./operation-record.ts";
import { runOperation } from "./run-operation.ts";
import { fixFilter, previewOperation } from "./select-runs.ts";

/** What is to be done. */
export interface OperationRequest {
  readonly action: OperationAction;
  readonly filter: OperationFilter;
  /** As the preview showed it. */
  readonly matching: number;
  /** Who asks. */
  readonly actor: string;
  /** For people; of a cancel it is kept with the runs. */
  readonly reason?: string;
}

/** How far the count may be off before it is asked again. */
const CHANGED_SHARE_MAX = 0.1;
/** Old operations that one start removes. */
const REMOVED_MAX = 20;

/** Begins an operation, which goes on in the background. OPERATION_CHANGED, OPTION_INVALID, RUN_NOT_FOUND. */
export async function startOperation(
  facade: object,
  request: OperationRequest,
): Promise<OperationView> {
  const mill = contextOf(facade);
  const filter = fixFilter(request.filter, mill.store.nowMs());
  const { matching } = await previewOperation(mill.store, request.action, filter);
  if (Math.abs(matching - request.matching) > CHANGED_SHARE_MAX * request.matching)
    throw changed(request, matching);
  const record = await create(mill, { ...request, filter, matching });
  begin(mill, record);
  const operation = parseOperation(record.value);
  if (operation === undefined) throw unknown(record.key);
  return toOperationView(record, operation, mill.store.nowMs());
}

/** The mill waits for it when it closes: it ends after the runs it is at. */
function begin(mill: MillContext, record: StoreRecord): void {
  const ended = runOperation(mill, record);
  mill.starting.add(ended);
  void ended.finally(() => mill.starting.delete(ended));
}

async function create(mill: MillContext, request: OperationRequest): Promise<StoreRecord> {
  const { action, filter, matching, actor, reason } = request;
  const key = mill.nextId();
  const nowMs = mill.store.nowMs();
  const operation: OperationRecord = {
    action,
    filter,
    state: "running",
    actor,
    ...(reason === undefined ? {} : { reason }),
    matching,
    done: 0,
    changed: 0,
    refused: 0,
    refusals: [],
    startedAtMs: nowMs,
    endedAtMs: null,
    isCancelRequested: false,
  };
  const result = await mill.committer.write({
    kind: "put-records",
    puts: [
      {
        collection: "operations",
        key,
        expected: 0,
        value: { ...operation, filter: { ...filter } },
        dueAtMs: nowMs + OPERATION_SILENT_MS_MAX,
      },
      ...(await listOld(mill, nowMs)),
    ],
    events: [{ type: "operation.started", data: { operation: key, action, matching, actor } }],
  });
  const stored = result.kind === "recorded" ? result.records[0] : undefined;
  if (stored !== undefined) return stored;
  throw new MillraceError("STORE_FAILED", `The store did not keep the operation: ${result.kind}.`);
}

/** Keys rise with time, so that the first page holds the oldest. */
async function listOld({ store }: MillContext, nowMs: number): Promise<readonly RecordPut[]> {
  const page = await store.listRecords({ collection: "operations", limit: REMOVED_MAX });
  return page
    .filter(({ updatedAtMs }) => updatedAtMs < nowMs - OPERATION_KEPT_MS)
    .map(({ collection, key }) => ({ collection, key, expected: null, value: undefined }));
}

/** One operation. OPERATION_UNKNOWN. */
export async function getOperation(facade: object, id: string): Promise<OperationView> {
  const { store } = contextOf(facade);
  const record = await store.findRecord("operations", id);
  const operation = record === undefined ? undefined : parseOperation(record.value);
  if (record === undefined || operation === undefined) throw unknown(id);
  return toOperationView(record, operation, store.nowMs());
}

/** One page of operations, newest first. */
export interface OperationPage {
  readonly operations: readonly OperationView[];
  readonly nextCursor?: string;
}

/** Lists operations. OPTION_INVALID. */
export async function listOperations(
  facade: object,
  page: { readonly limit?: number; readonly cursor?: string },
): Promise<OperationPage> {
  const { store } = contextOf(facade);
  const limit = checkPageLimit(page.limit);
  const found = await store.listRecords({
    collection: "operations",
    newestFirst: true,
    limit,
    ...(page.cursor === undefined ? {} : { after: page.cursor }),
  });
  const operations = found.flatMap((record) => {
    const operation = parseOperation(record.value);
    return operation === undefined ? [] : [toOperationView(record, operation, store.nowMs())];
  });
  const last = found.at(-1);
  const hasMore = last !== undefined && found.length === limit;
  return { operations, ...(hasMore ? { nextCursor: last.key } : {}) };
}

/** Times that its process may write between our read and our write. */
const TRIES_MAX = 20;

/** Asks for the end of an operation; one that has ended stays as it is. Repeatable. OPERATION_UNKNOWN. */
export async function cancelOperation(facade: object, id: string): Promise<OperationView> {
  const mill = contextOf(facade);
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const record = await mill.store.findRecord("operations", id);
    const operation = record === undefined ? undefined : parseOperation(record.value);
    if (record === undefined || operation === undefined) throw unknown(id);
    if (operation.state !== "running" || operation.isCancelRequested)
      return toOperationView(record, operation, mill.store.nowMs());
    const asked = { ...operation, isCancelRequested: true, filter: { ...operation.filter } };
    const { collection, key, revision, dueAtMs } = record;
    await mill.committer.write({
      kind: "put-records",
      puts: [{ collection, key, expected: revision, value: asked, dueAtMs }],
      events: [],
    });
  }
  return await getOperation(facade, id);
}

function unknown(id: string): MillraceError {
  return new MillraceError("OPERATION_UNKNOWN", `There is no operation "${id}".`, {
    details: { given: id },
  });
}

function changed({ matching: shown, action }: OperationRequest, matching: number): MillraceError {
  return new MillraceError(
    "OPERATION_CHANGED",
    `The ${action} was shown for ${shown} runs, and ${matching} match now.`,
    { hint: "look at the preview again", details: { shown, matching } },
  );
}
