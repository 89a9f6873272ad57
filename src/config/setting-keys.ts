// Every setting that is no code, by the name the command knows it by, with its key in a configuration: `worker.lease`.
// Layers, variables, what is printed and what is published as a schema all go by this one list; the compiler holds it
// against what a configuration is read into.

import type { ParsedConfig } from "./schema.ts";

/** Name of a setting. Pipelines and provided values are code, and no settings. */
export type SettingName = Exclude<keyof ParsedConfig, "pipelines" | "provide">;

/** The key of each setting, as the file and the documents name it. */
export const SETTING_KEYS: Readonly<Record<SettingName, string>> = {
  store: "store",
  busyTimeoutMs: "store.busyTimeout",
  logLevel: "logLevel",
  logFile: "logFile",
  slots: "worker.concurrency",
  stopAfterMs: "worker.stopAfter",
  attemptsInFlight: "worker.attemptsInFlight",
  threads: "worker.threads",
  leaseMs: "worker.lease",
  heartbeatMs: "worker.heartbeat",
  watchMs: "watchdog.every",
  silentRunMs: "watchdog.silence",
  retry: "defaults.retry",
  timeoutMs: "defaults.timeout",
  uses: "defaults.uses",
  resources: "resources",
  events: "events",
  schedules: "schedules",
  notify: "notify",
  probeMs: "health.probeTimeout",
  serverHost: "server.host",
  serverPort: "server.port",
  serverSocket: "server.socket",
  serverBasePath: "server.basePath",
  serverHosts: "server.hosts",
  serverBehindProxy: "server.behindProxy",
  serverCert: "server.cert",
  serverKey: "server.key",
  serverTokenFile: "server.tokenFile",
  serverCompatible: "server.compatible",
  keepRunsMs: "retention.runs",
  keepEventsMs: "retention.events",
  keepFailedMs: "retention.deadLetter",
};

/** True for the name of a setting. */
function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTING_KEYS, name);
}

/** Names of all settings, in the order in which they are printed. */
export function listSettingNames(): readonly SettingName[] {
  return Object.keys(SETTING_KEYS).filter((name) => isSettingName(name));
}
