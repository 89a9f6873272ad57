// Every maximum, with unit and reason. Nothing in the house is unbounded; what a user may raise is an option
// whose default stands in `defaults.ts`.

/** Runs that one claim takes at most. */
export const CLAIM_RUNS_MAX = 256;
/** Highest `maxActiveRuns` of a pipeline. */
export const ACTIVE_RUNS_MAX = 100_000;
/** Highest `maxQueued` of a pipeline. */
export const QUEUED_RUNS_MAX = 1_000_000_000;
/** Queued runs ahead of one that `why` counts; beyond it says "at least". */
export const QUEUE_AHEAD_MAX = 1_000;
/** Runs that a worker works on at once. */
export const WORKER_RUNS_MAX = 256;
/** Waiting runs that go back to their queues in one write at most. */
export const WAKE_RUNS_MAX = 1_000;
/** Runs that one write deletes at most. */
export const DELETE_RUNS_MAX = 500;
/** Items, events, memos and retries that one write deletes at most: what others may have to wait for. */
export const DELETE_ROWS_MAX = 10_000;
/** Bytes of one line of a file of runs: 8 MiB, what one transaction holds. */
export const IMPORT_LINE_BYTES_MAX: number = 8 * 1024 * 1024;
/** Bad lines of a file of runs that are named one by one. */
export const IMPORT_BAD_LINES_MAX = 100;
/** Largest and, negative, smallest priority of a run. */
export const PRIORITY_MAX = 1_000;
/** What one unit of priority is worth in waiting, ms. */
export const PRIORITY_STEP_MS = 60_000;
/** Stages of one pipeline: beyond this a graph is data and belongs in a map stage. */
export const PIPELINE_STAGES_MAX = 10_000;
/** Characters of a stage or pipeline name: names appear in every table and file. */
export const NAME_CHARS_MAX = 100;
/** Bytes of UTF-8 of an item key: it is a column of every item row. */
export const ITEM_KEY_BYTES_MAX = 512;
/** Highest `maxItems` that may be asked for: one row each, all keys in memory. */
export const MAP_ITEMS_MAX = 10_000_000;
/** Items that a `stopAfter` rule looks back at: the endings of so many are held. */
export const STOP_AFTER_ITEMS_MAX = 100_000;
/** Attempts of a stage or item. */
export const ATTEMPTS_MAX = 1_000;
/** Attempts in flight in one process. */
export const CONCURRENCY_MAX = 10_000;
/** Worker threads of one process. */
export const THREADS_MAX = 256;
/** Rules of one retry policy. */
export const RETRY_RULES_MAX = 100;
/** Deferrals (throttled) of one stage or item before it fails. */
export const DEFERRALS_MAX = 50;
/** Longest time one stage or item may be deferred in all: 24 h in ms. */
export const DEFERRAL_MS_MAX: number = 24 * 3_600_000;
/** Longest hint of the other side that is a pause of the attempt; a longer one defers it: 15 min in ms. */
export const HINT_PAUSE_MS_MAX: number = 15 * 60_000;
/** Longest hint of the other side that is followed: 24 h in ms. */
export const HINT_MS_MAX: number = 24 * 3_600_000;
/** Most that is added to a hint, so that not all who got it come back at once, ms. */
export const HINT_SPREAD_MS_MAX = 5_000;
/** Longest time in which the burst of a quota fills, µs: 2^50 (35 years), so that its times stay exact. */
export const QUOTA_FILL_US_MAX: number = 2 ** 50;
/** Crashes of one stage or item that make it poison. */
export const CRASHES_MAX = 3;
/** Crashes of a run from which on what may have caused them is isolated. */
export const ISOLATE_CRASHES_MIN = 2;
/** Isolated processes of one run that may die in one claim before the run fails. */
export const CHILD_CRASHES_MAX = 10;
/** Characters of the reason of a skip or of an ended run. */
export const REASON_CHARS_MAX = 500;
/** Longest duration an option may name: 366 days in ms. */
export const DURATION_MS_MAX: number = 366 * 24 * 3_600_000;
/** Exponent of the backoff, so that it can never reach infinity. */
export const BACKOFF_EXPONENT_MAX = 30;
/** Characters of an error's message that an attempt keeps: 16 KiB. */
export const ERROR_CHARS_MAX = 16_384;
/** Characters of an error in lists. */
export const ERROR_LIST_CHARS_MAX = 500;
/** Characters of an error in the retry history. */
export const ERROR_HISTORY_CHARS_MAX = 200;
/** Attempts kept in the retry history of one stage or item; older ones are dropped. */
export const RETRY_HISTORY_MAX = 100;
/** Failed items that the failure of a map stage names one by one. */
export const FAILED_ITEMS_LISTED_MAX = 100;
/** Errors that a run result lists. */
export const RUN_ERRORS_MAX = 1_000;
/** Lines of each output stream of a command that an attempt keeps. */
export const COMMAND_LINES_MAX = 100;
/** Bytes of one line of a command's output; the rest of the line is dropped with a mark. */
export const COMMAND_LINE_BYTES_MAX: number = 64 * 1024;
/** Bytes of a command's stdout that are kept to be parsed: 10 MiB. */
export const COMMAND_OUTPUT_BYTES_MAX: number = 10 * 1024 * 1024;
/** Bytes of a value that stay in its row; larger ones are blobs. */
export const INLINE_BYTES_MAX: number = 64 * 1024;
/** Bytes of one stored value or artifact: 1 GiB, the longest string Node can hold is near. */
export const VALUE_BYTES_MAX: number = 512 * 1024 * 1024;
/** Keys of `ctx.state` in one run, and metrics of one stage. */
export const STATE_KEYS_MAX = 10_000;
/** Memos of one run: their results are held while it is worked on. */
export const MEMOS_MAX = 100_000;
/** Events in memory for readers of a run. */
export const RECENT_EVENTS_MAX = 1_000;
/** Events a slow reader may lag behind before it loses the oldest. */
export const READER_QUEUE_MAX = 10_000;
/** Writes in one transaction. */
export const COMMIT_WRITES_MAX = 1_000;
/** Bytes in one transaction: 8 MiB. */
export const COMMIT_BYTES_MAX: number = 8 * 1024 * 1024;
/** Writes that wait for their transaction; one more is refused. Callers await theirs, so only a leak gets here. */
export const WAITING_WRITES_MAX = 100_000;
/** Estimated bytes of the writes that wait: 256 MiB. */
export const WAITING_BYTES_MAX: number = 256 * 1024 * 1024;
/** Tries of one transaction while another process holds the store. */
export const BUSY_TRIES_MAX = 5;
/** Shortest wait between two of them, ms. */
export const BUSY_DELAY_MS_MIN = 10;
/** Longest wait between two of them, ms; the cap doubles up to it. */
export const BUSY_DELAY_MS_MAX = 250;
/** Definitions that a process keeps in the form it reads them in, by store: few stores have runs of more at a time. */
export const KNOWN_DEFINITIONS_MAX = 256;
/** Longest time an answer that is polled is given again, ms: as long as people and probes do not notice. */
export const KEPT_ANSWER_MS_MAX = 1_000;
/** Answers to one question that are kept at once, by what was asked for. */
export const KEPT_ANSWERS_MAX = 100;
/** Characters of an answer over HTTP that is given again; a longer one is made anew each time. */
export const KEPT_TEXT_CHARS_MAX: number = 64 * 1024;
/** Rows of one page of a list. */
export const PAGE_ROWS_MAX = 500;
/** Items of one page that tells how they stand and no more: some 5 ms of reading. */
export const ITEM_ENDS_MAX = 5_000;
/** Rows of one page of a list when nothing is asked. */
export const PAGE_ROWS_DEFAULT = 20;
/** Runs of one `runBatch`. */
export const BATCH_RUNS_MAX = 1_000_000;
/** Tags of a run, and characters of one tag's key or value. */
export const TAGS_MAX = 64;
/** Characters of a tag's key or value. */
export const TAG_CHARS_MAX = 256;
/** Characters of a run's key. */
export const RUN_KEY_CHARS_MAX = 512;
/** How long a store remembers a process that fell silent, ms: it names who held a lost run the day before. */
export const WORKER_SILENT_MS_MAX = 86_400_000;
/** Silence after which `why` counts a worker no longer among those that are alive, ms: five beats. */
export const WORKER_ALIVE_MS_MAX = 5_000;
/** Blobs younger than this are left alone by `gc`, needed or not, since a row may name them soon, ms. */
export const BLOB_YOUNG_MS_MAX = 3_600_000;

/** Quotas of one resource. */
export const RESOURCE_QUOTAS_MAX = 8;
/** Resources that one attempt uses: each is a row per attempt. */
export const RESOURCE_USES_MAX = 32;
/** Keys of one resource that may have settings of their own. */
export const RESOURCE_KEYS_LISTED_MAX = 10_000;
/** Bytes of UTF-8 of a resource's key: it is a column. */
export const RESOURCE_KEY_BYTES_MAX = 512;
/** Keys for which one parked run waits, so that each can let it in. */
export const PARKED_KEYS_MAX = 64;
/** Keys of one resource that are remembered while nobody uses them. */
export const RESOURCE_IDLE_KEYS_MAX = 100_000;
/** How long a store remembers a key that is at rest and that nobody has used since, ms: its counts go with it. */
export const RESOURCE_IDLE_MS_MAX = 86_400_000;
/** Largest rate and burst of a quota, units. */
export const QUOTA_UNITS_MAX = 1_000_000_000;
/** Most probes of a breaker at once. */
export const BREAKER_PROBES_MAX = 3;

/** Characters of the key of a record of the service. */
export const RECORD_KEY_CHARS_MAX = 1_024;

/** Bytes of the value of a record of the service as JSON: a reply that is kept, a schedule with its input. */
export const RECORD_BYTES_MAX = 1_048_576;

/** Records that one transaction changes together: a schedule with all its ticks that wait, and some besides. */
export const RECORD_PUTS_MAX = 128;

/** Bytes of the body of a request, where its route says nothing else: 1 MiB. */
export const HTTP_BODY_BYTES_MAX: number = 1024 * 1024;
/** How deep the JSON of a request is nested at most: no shape of ours comes near it. */
export const HTTP_JSON_DEPTH_MAX = 64;
/** Keys and list entries in the JSON of a request. */
export const HTTP_JSON_KEYS_MAX = 10_000;
/** Characters of a request's path with its query: 8 KiB. */
export const HTTP_URL_CHARS_MAX = 8_192;
/** Bytes of a request's headers: 16 KiB. */
export const HTTP_HEADER_BYTES_MAX: number = 16 * 1024;
/** Parameters of one query. */
export const HTTP_QUERY_PARAMETERS_MAX = 100;
/** Open connections to one server: what is above is closed at once. */
export const HTTP_CONNECTIONS_MAX = 1_000;
/** Fewest characters of a secret: a shorter one stands in ordinary text by chance. */
export const SECRET_CHARS_MIN = 6;
/** Most characters of a secret: a key in PEM fits four times, and every text is searched for it. */
export const SECRET_CHARS_MAX: number = 16 * 1024;
/** Access tokens of one store, revoked ones included, until they are deleted. */
export const TOKENS_MAX = 1_000;
/** Characters of the name of an access token. */
export const TOKEN_NAME_CHARS_MAX = 64;
/** Sessions of one server; the one that was idle longest goes first. */
export const SESSIONS_MAX = 1_000;
/** Tickets that wait to be used, of one server; the oldest goes first. */
export const TICKETS_MAX = 1_000;
/** Addresses whose bad tokens one server remembers; the oldest goes first. */
export const BAD_TOKEN_ADDRESSES_MAX = 10_000;
/** Longest wait that bad tokens of an address bring, ms. */
export const BAD_TOKEN_WAIT_MS_MAX = 900_000;
/** Characters of an `Idempotency-Key`. */
export const IDEMPOTENCY_KEY_CHARS_MAX = 255;
/** Bytes of a reply that is kept for an `Idempotency-Key`; a record holds 1 MiB with what is around it. */
export const KEPT_REPLY_BYTES_MAX: number = 512 * 1024;

/** Characters of a cron expression. */
export const CRON_CHARS_MAX = 256;
/** How far ahead a schedule looks for its next tick: 8 years in ms, from one leap day over 2100 to the next. */
export const TICK_SEARCH_MS_MAX: number = 8 * 366 * 86_400_000;
/** Moments that one search for a tick looks at. */
export const TICK_SEARCH_STEPS_MAX = 5_000;
/** Ticks of one schedule that wait for a run to end. */
export const TICKS_WAITING_MAX = 100;
/** Missed ticks that `run-all` runs; older ones are told and dropped. */
export const TICKS_CAUGHT_UP_MAX = 100;
/** Age of the oldest missed tick that `run-once` still runs: 24 h in ms. */
export const TICK_AGE_MS_MAX: number = 24 * 3_600_000;
/** Age from which on a tick counts as missed, ms: a scheduler that wakes late by less is on time. */
export const TICK_LATE_MS_MAX = 60_000;
/** Missed ticks that are counted one by one; more are "at least". */
export const TICKS_COUNTED_MAX = 20_000;
/** Records of ticks that a schedule keeps, as far as they are no older than 30 days. */
export const TICKS_KEPT_MAX = 10_000;
/** Ticks that are told at once when somebody asks for the next ones. */
export const TICKS_LISTED_MAX = 1_000;
/** Longest jitter of a schedule: 1 h in ms. */
export const JITTER_MS_MAX = 3_600_000;
/** Shortest `every` of a schedule, ms. */
export const EVERY_MS_MIN = 1_000;
/** Longest sleep of a scheduler, ms: so late a change that nobody told it of is noticed. */
export const SCHEDULER_SLEEP_MS_MAX = 30_000;
/** Time between two looks at ticks that wait for a run to end, ms. */
export const SCHEDULER_HELD_MS = 1_000;
/** Schedules of one configuration. */
export const SCHEDULES_MAX = 10_000;
/** Ticks of one backfill. */
export const BACKFILL_TICKS_MAX = 1_000;

/** Running attempts that a process names with a beat. */
export const RUNNING_NAMES_MAX = 100;
/** Pipelines that a process names with a beat. */
export const WORKER_PIPELINES_MAX = 100;
/** Runs that are named of those that a lost worker left. */
export const LOST_RUNS_MAX = 100;
/** Findings that one survey of the watchdog keeps: who has so many needs no more. */
export const FINDINGS_MAX = 100;
/** Pages of runs that one look of the watchdog reads; it goes on there with the next one. */
export const WATCH_PAGES_MAX = 20;
/** A run of which nothing runs, waits or is ready for longer is stranded, ms. */
export const STRANDED_MS_MAX = 60_000;
/** A schedule that is later by more is a fault, ms. */
export const SCHEDULER_LATE_MS_MAX = 90_000;
/** Age of queued runs above which a queue is old, where more than a twentieth of them are, ms: 5 min. */
export const QUEUE_AGE_MS_MAX = 300_000;
/** Failed runs of one pipeline within a minute that are worth a warning. */
export const FAILURES_PER_MINUTE_MAX = 20;
/** A breaker that is not closed for longer is worth a warning, ms: 1 h. */
export const BREAKER_OPEN_MS_WARN = 3_600_000;
/** A permit that is older than the timeout of its attempt by more is a leak, ms. */
export const PERMIT_LATE_MS_MAX = 60_000;
/** Bytes of a write-ahead log that are worth a warning: 64 MiB. */
export const LOG_BYTES_WARN: number = 64 * 1024 * 1024;
/** Bytes of a write-ahead log that is brought into its file by force of order: 512 MiB. */
export const LOG_BYTES_MAX: number = 512 * 1024 * 1024;
/** Free bytes of the disk of a store under which nothing is claimed: 500 MB. */
export const FREE_BYTES_MIN = 500_000_000;
/** Free share of the disk of a store under which nothing is claimed. */
export const FREE_SHARE_MIN = 0.05;
/** Share of its memory above which a process drains. */
export const MEMORY_SHARE_MAX = 0.85;
/** Delay of the event loop, 99th percentile, that is slow, ms. */
export const LOOP_DELAY_MS_MAX = 200;
/** For how long the event loop has to be slow before it is told, ms. */
export const LOOP_SLOW_MS_MAX = 10_000;
/** Attempts that did not stop when told to, after which their process drains. */
export const STUCK_ATTEMPTS_MAX = 5;

/** Highest number of readers of all events at once in one process. */
export const SUBSCRIBERS_MAX = 10_000;
/** Events that one look for rare types passes over at most, so that a long list is searched in pieces of some 10 ms. */
export const EVENT_SCAN_MAX = 50_000;
/** Longest wait between two tries of who follows events while the store is away, ms. */
export const EVENT_RETRY_MS_MAX = 5_000;
/** Smallest size from which on a new file of events may be begun, bytes. */
export const EVENT_FILE_BYTES_MIN = 65_536;
/** Largest size from which on a new file of events may be begun, bytes: 1 TiB. */
export const EVENT_FILE_BYTES_MAX: number = 2 ** 40;
/** Bytes of one line of a file of events; a longer one is passed over: a record of the store is smaller. */
export const EVENT_LINE_BYTES_MAX: number = 16 * 1024 * 1024;
/** Characters of the name of a report from outside. */
export const REPORT_NAME_CHARS_MAX = 100;
/** Characters of the source of a report from outside. */
export const REPORT_SOURCE_CHARS_MAX = 200;
/** Characters of the key of a report from outside. */
export const REPORT_KEY_CHARS_MAX = 255;
/** Bytes of the data of a report from outside as JSON. */
export const REPORT_DATA_BYTES_MAX: number = 16 * 1024;
/** How far in the future the time of a report may lie, ms: clocks differ. */
export const REPORT_AHEAD_MS_MAX = 86_400_000;

/** Characters of the reason with which health is acknowledged. */
export const HEALTH_REASON_CHARS_MAX = 500;

/** Probes of stages that are asked at once. */
export const PROBES_AT_ONCE_MAX = 16;

/** Longest time of a probe that may be set, ms. */
export const PROBE_MS_MAX = 600_000;

/** Topics that one client of the live feed follows at once. */
export const FEED_TOPICS_MAX = 32;
/** Events per second of a topic of events; of more a part is told, with the number left out, but to who asks for all:
 *  nobody reads faster. */
export const FEED_EVENTS_PER_SECOND_MAX = 500;
/** Events of one message of the live feed. */
export const FEED_MESSAGE_EVENTS_MAX = 250;
/** Events of the past that a topic of events begins with. */
export const FEED_HISTORY_EVENTS_MAX = 100;
/** Age of the events that a topic of events begins with, ms: 4 h. */
export const FEED_HISTORY_MS_MAX: number = 4 * 3_600_000;
/** Bytes that wait for a client of the live feed, above which it is too slow: 1 MiB. */
export const FEED_UNSENT_BYTES_MAX: number = 1024 * 1024;
/** Bytes of the last messages of a topic, from which slow clients go on: 4 MiB. */
export const FEED_HELD_BYTES_MAX: number = 4 * 1024 * 1024;
/** Time in which a client reads nothing, after which it is sent away, ms. */
export const FEED_SILENT_MS_MAX = 30_000;
/** Time that a topic without clients is kept up for one that comes back, ms: as long as reconnecting may take. */
export const FEED_LINGER_MS_MAX = 10_000;
/** Bytes of one message of a client: 64 KiB. */
export const SOCKET_MESSAGE_BYTES_MAX: number = 64 * 1024;
/** Pieces of one message of a client. */
export const SOCKET_FRAGMENTS_MAX = 64;
/** Messages and pings of a client per second, over some time. */
export const SOCKET_MESSAGES_PER_SECOND_MAX = 20;
/** Messages and pings of a client at once. */
export const SOCKET_MESSAGES_AT_ONCE_MAX = 200;
/** Bytes of one import of lines over HTTP: 64 MiB. */
export const HTTP_IMPORT_BYTES_MAX: number = 64 * 1024 * 1024;
/** Words in one list of a query, such as states. */
export const HTTP_FILTERS_MAX = 100;
/** Items of one window of packed states: 20 KB. */
export const ITEM_STATES_MAX = 20_000;
/** Stored log lines that one page looks at: a search that finds nothing ends too. */
export const LOG_LINES_LOOKED_AT_MAX = 50_000;
/** Numbers of events that one page with types looks at: rare types of a long list have no index. */
export const EVENT_SPAN_MAX = 100_000;
/** Runs that counts over a time look at, the newest first. */
export const PERIOD_RUNS_MAX = 50_000;
/** Events of failures that are grouped over all runs, the newest: some 50 ms with the rows of as many runs. */
export const FAILURE_EVENTS_MAX = 2_000;
/** Numbers of events that are looked at for them: failures are rare in a long list, and have no index. */
export const FAILURE_SPAN_MAX = 200_000;
/** Places that a group of failures names, the most frequent. */
export const FAILURE_PLACES_MAX = 20;
/** Runs that the filter of one operation may find. */
export const OPERATION_RUNS_MAX = 1_000_000;
/** Refusals of single runs that an operation lists. */
export const OPERATION_REFUSALS_MAX = 100;
/** Silence of an operation after which its process counts as gone, ms. */
export const OPERATION_SILENT_MS_MAX = 60_000;
/** How long an operation that has ended is kept, ms: 30 days. */
export const OPERATION_KEPT_MS: number = 30 * 86_400_000;

/** Pipelines, and resources, with figures of their own in a scrape; further ones share theirs. */
export const FIGURE_PIPELINES_MAX = 100;
/** Stages, over all pipelines, with figures of their own in a scrape: each has a histogram. */
export const FIGURE_PAIRS_MAX = 500;
/** Keys of resources that one scrape adds up. */
export const FIGURE_RESOURCE_KEYS_MAX = 5_000;

/** Targets of notices. */
export const NOTICE_TARGETS_MAX = 20;
/** Longest time of one try of a notice that may be set, ms. */
export const NOTICE_TIMEOUT_MS_MAX = 60_000;
/** Notices of one target within a minute; further ones are left out, and the next one says how many. */
export const NOTICES_PER_MINUTE_MAX = 60;
/** Bytes of an answer to a notice that are read before its connection is cut. */
export const NOTICE_ANSWER_BYTES_MAX: number = 64 * 1024;

/** How long roll-ups of a minute are kept, ms: 24 h. */
export const MINUTE_ROLL_UPS_KEPT_MS: number = 24 * 3_600_000;
/** How long roll-ups of a day are kept, ms: two years. */
export const DAY_ROLL_UPS_KEPT_MS: number = 731 * 86_400_000;
/** Durations that are kept of each stage, and of the runs of each pipeline: half and 95 % are exact over so many. */
export const DURATIONS_KEPT_MAX = 200;
