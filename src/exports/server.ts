// The door `millrace/server`: the API of a mill over HTTP.

export { handler, serve } from "../http/serve.ts";
export type { HandlerOptions, MountOptions, RunningServer, ServeOptions } from "../http/serve.ts";
export type { CompatibleOptions } from "../http/compatible/compatible-options.ts";
export { startNotices } from "../service/listeners/notices/watch-notices.ts";
export type { NoticeOptions, RunningNotices } from "../service/listeners/notices/watch-notices.ts";
export type { ListenOptions } from "../http/listen-plan.ts";
export type { ClientLimits } from "../http/server.ts";
