// Every default, with unit and reason. A test compares them with the documents; nothing else repeats them.

/** Tries in all, the first included: repeating work is the author's decision. */
export const RETRY_ATTEMPTS_DEFAULT = 1;
/** Wait after the first failure, ms. */
export const RETRY_INITIAL_DELAY_MS_DEFAULT = 1_000;
/** Growth of the wait per failure. */
export const RETRY_FACTOR_DEFAULT = 2;
/** Cap of one wait, ms. */
export const RETRY_DELAY_MS_MAX_DEFAULT = 60_000;
/** Timeout of a command stage, ms: a child that hangs must not hang for ever. */
export const COMMAND_TIMEOUT_MS_DEFAULT = 3_600_000;
/** Time between the abort of an attempt and giving up on it, ms. */
export const ABORT_GRACE_MS_DEFAULT = 5_000;
/** How long a stuck attempt keeps its slot after the grace, ms. */
export const STUCK_SLOT_MS_DEFAULT = 60_000;
/** Time a drain leaves running work before it is aborted, ms. */
export const DRAIN_MS_DEFAULT = 20_000;
/** Time after the signal in which a process has ended, whatever hangs in it, ms. */
export const STOP_MS_DEFAULT = 28_000;
/** Silence of a command that is worth an event, ms. */
export const COMMAND_SILENCE_MS_DEFAULT = 300_000;
/** Time between two progress events of a command, ms. */
export const COMMAND_PROGRESS_MS_DEFAULT = 60_000;
/** Time a command gets to end by itself after its `doneWhen` pattern, ms. */
export const COMMAND_DONE_GRACE_MS_DEFAULT = 30_000;
/** Items of a map stage at once. */
export const MAP_CONCURRENCY_DEFAULT = 4;
/** Items of a map stage in all. */
export const MAP_ITEMS_DEFAULT = 100_000;
/** Successes that a tolerant map stage needs. */
export const MAP_MIN_SUCCESS_DEFAULT = 1;
/** Attempts in flight in one process. */
export const CONCURRENCY_DEFAULT = 32;
/** Runs of a `runBatch` at once. */
export const BATCH_CONCURRENCY_DEFAULT = 5;
/** Items that `each` works on at once. */
export const EACH_CONCURRENCY_DEFAULT = 8;
/** Runs that a worker works on at once. */
export const WORKER_RUNS_DEFAULT = 8;
/** How often a worker with nothing to do asks whether other processes have written, ms. */
export const HINT_POLL_MS_DEFAULT = 20;
/** A run of a queue in which nothing goes on for longer than this gives its place back, ms. */
export const PARK_MS_DEFAULT = 10_000;
/** Claims of a run lost to crashes before it fails. */
export const RUN_ATTEMPTS_DEFAULT = 3;
/** Length of a lease, ms. */
export const LEASE_MS_DEFAULT = 30_000;
/** Longest time between two renewals, ms. */
export const HEARTBEAT_MS_DEFAULT = 5_000;
/** Time between two notes of what a process is running, ms. */
export const PRESENCE_MS_DEFAULT = 1_000;
/** Renewals in a row that a healthy holder may miss. */
export const LEASE_MISSES_DEFAULT = 2;
/** Slowest call that renews a lease, ms. */
export const LEASE_CALL_MS_DEFAULT = 5_000;
/** Longest pause of a healthy holder, ms. */
export const LEASE_PAUSE_MS_DEFAULT = 10_000;
/** Time a holder needs to stop before its lease ends, ms. */
export const LEASE_STOP_MS_DEFAULT = 5_000;
/** Silence of the main loop after which its leases are no longer renewed, ms. */
export const LOOP_SILENCE_MS_DEFAULT = 15_000;
/** Time after its deadline in which a run's lease is still renewed, ms. */
export const LEASE_DEADLINE_GRACE_MS_DEFAULT = 10_000;
/** Age of a run from which its lease is renewed from a thread, ms: most runs are over before. */
export const RENEWAL_THREAD_MS_DEFAULT = 5_000;
/** Grace after a lease's end before it may be taken, ms. */
export const LEASE_GRACE_MS_DEFAULT = 1_000;
/** Wait for a busy SQLite file, ms. */
export const BUSY_TIMEOUT_MS_DEFAULT = 5_000;
/** Where a store is when nothing is said. */
export const STORE_URL_DEFAULT = "sqlite:.millrace/store.db";
/** How long ended runs, failed runs and events are kept, each: 30 days in ms. */
export const RETENTION_MS_DEFAULT: number = 30 * 86_400_000;

/** Failed runs that may begin again within a second. */
export const RETRIED_RUNS_PER_SECOND = 10;

/** Counted failures in a row that open a breaker. */
export const BREAKER_THRESHOLD_DEFAULT = 5;
/** How long the first opening of a breaker lasts, ms. */
export const BREAKER_RECOVERY_MS_DEFAULT = 30_000;
/** Probes at once while a breaker is half open. */
export const BREAKER_PROBES_DEFAULT = 1;
/** Successes that close a breaker. */
export const BREAKER_SUCCESSES_DEFAULT = 1;
/** How long a breaker that is opened by hand stays open, ms. */
export const TRIP_MS_DEFAULT = 3_600_000;
/** Retries that a budget admits, as a share of first tries. */
export const BUDGET_SHARE_DEFAULT = 0.2;
/** Retries that a budget admits besides, per second. */
export const BUDGET_PER_SECOND_DEFAULT = 1;

/** Port of the server. */
export const SERVER_PORT_DEFAULT = 4400;
/** Time a client has for the headers of a request, ms. */
export const HTTP_HEADERS_MS_DEFAULT = 10_000;
/** Time a client has for the body of a request; for one that is read as a stream, time between two pieces, ms. */
export const HTTP_BODY_MS_DEFAULT = 30_000;
/** Silence of a connection after which it is closed, ms. */
export const HTTP_IDLE_MS_DEFAULT = 30_000;
/** Longest life of a session, ms: 12 h. */
export const SESSION_MS_DEFAULT: number = 12 * 3_600_000;
/** Time without a request after which a session ends, ms. */
export const SESSION_IDLE_MS_DEFAULT = 3_600_000;
/** Life of a ticket to sign in, ms. */
export const LOGIN_TICKET_MS_DEFAULT = 60_000;
/** Life of a ticket to open a socket, ms. */
export const SOCKET_TICKET_MS_DEFAULT = 30_000;
/** Bad tokens of an address within a minute that are answered without a wait. */
export const BAD_TOKENS_PER_MINUTE_DEFAULT = 20;
/** How long the reply to an `Idempotency-Key` is kept, ms: 24 h. */
export const REPLY_KEPT_MS_DEFAULT: number = 24 * 3_600_000;
/** How long a request that never ended holds its `Idempotency-Key`, ms: longer than any answers. */
export const REPLY_RUNNING_MS_DEFAULT = 60_000;
/** Delay of the event loop, p99, above which requests are shed once it lasts, ms. */
export const SHED_LOOP_DELAY_MS_DEFAULT = 200;
/** How long the delay lasts before requests are shed, ms. */
export const SHED_AFTER_MS_DEFAULT = 5_000;

/** Time between two looks of the watchdog, ms. */
export const WATCH_MS_DEFAULT = 30_000;
/** Silence of a running run, in which nothing of it was committed, that is worth a warning, ms: 10 min. */
export const SILENT_RUN_MS_DEFAULT = 600_000;

/** Readers of all events at once in one process. */
export const SUBSCRIBERS_DEFAULT = 100;
/** Time between two looks of those who follow the events of other processes, ms. */
export const EVENT_POLL_MS_DEFAULT = 50;
/** Bytes of a file of events from which on a new one is begun: 100 MB. */
export const EVENT_FILE_BYTES_DEFAULT = 100_000_000;
/** Age from which on a file of events moves to the archive, ms: 7 days. */
export const EVENT_FILE_KEPT_MS_DEFAULT: number = 7 * 86_400_000;
/** How long a report from outside with a key is known again, ms: 7 days. */
export const REPORT_KEPT_MS_DEFAULT: number = 7 * 86_400_000;

/** Longest time of a stage's `health()` probe, ms. */
export const PROBE_MS_DEFAULT = 5_000;

/** Time over which the live feed gathers changes, ms. */
export const FEED_BATCH_MS_DEFAULT = 50;
/** Time between two beats of the live feed, ms. */
export const FEED_BEAT_MS_DEFAULT = 2_000;
/** Events of one message of the past. */
export const FEED_CHUNK_EVENTS_DEFAULT = 25;
/** Time between two looks at whether a client of a socket may still be there, ms. */
export const SOCKET_LOGIN_MS_DEFAULT = 60_000;

/** Tries of a notice in all. */
export const NOTICE_ATTEMPTS_DEFAULT = 10;
/** Wait after the first try of a notice that failed, ms. */
export const NOTICE_DELAY_MS_DEFAULT = 5_000;
/** Growth of the wait per try of a notice: ten of them span some four hours. */
export const NOTICE_FACTOR_DEFAULT = 3;
/** Longest wait between two tries of a notice, ms: 1 h. */
export const NOTICE_DELAY_MS_MAX_DEFAULT = 3_600_000;
/** Longest time of one try of a notice, ms. */
export const NOTICE_TIMEOUT_MS_DEFAULT = 10_000;
/** Time between two looks at what is to be rolled up, ms. */
export const ROLL_UP_MS_DEFAULT = 10_000;
