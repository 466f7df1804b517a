// Every setting of the program. To add one: a constant here, its address in settings_registry.cpp.
#pragma once

#include "base/settings.h"

namespace puna::setting {

// clang-format off
inline constexpr Setting<std::string> kHost{{"server.host", "PUNA_HOST", "127.0.0.1", "address that the TCP listener binds; one that other machines can reach needs an API key and a certificate", 0, 0, "", false}};
inline constexpr Setting<std::int64_t> kPort{{"server.port", "PUNA_PORT", "17862", "TCP port of the HTTP API; 0 picks a free one", 0, 65535, "", false}};
inline constexpr Setting<bool> kTcp{{"server.tcp", "PUNA_TCP", "true", "listen on TCP besides the Unix socket", 0, 0, "", false}};
inline constexpr Setting<std::int64_t> kOllamaPort{{"server.ollama_port", "PUNA_OLLAMA_PORT", "0", "port of 127.0.0.1 where Ollama's clients find this daemon besides its own; theirs is 11434; 0: none", 0, 65535, "", false}};
inline constexpr Setting<std::string> kTlsCertificate{{"server.tls_cert", "PUNA_TLS_CERT", "", "file with the certificate chain (PEM) of the TCP listener, which then speaks TLS only; SIGHUP reads it anew", 0, 0, "", false}};
inline constexpr Setting<std::string> kTlsKey{{"server.tls_key", "PUNA_TLS_KEY", "", "file with the private key (PEM) of server.tls_cert; nobody else may read it", 0, 0, "", false}};
inline constexpr Setting<bool> kInsecure{{"server.insecure", "PUNA_INSECURE", "false", "let other machines in without TLS and, while there is no API key, without one: for networks that you trust only", 0, 0, "", false}};
inline constexpr Setting<std::vector<std::string>> kAllowedOrigins{{"server.allowed_origins", "PUNA_ORIGINS", "", "browser origins that may call the API, such as http://localhost:3000; the API's own origin always may"}};
inline constexpr Setting<std::vector<std::string>> kAllowedHosts{{"server.allowed_hosts", "PUNA_ALLOWED_HOSTS", "", "further Host names that requests over TCP may carry; loopback names always may"}};
inline constexpr Setting<Bytes> kMaxBody{{"server.max_body", "PUNA_MAX_BODY", "64 MiB", "largest request body", 1024, 17179869184.0}};
inline constexpr Setting<Bytes> kMaxHeader{{"server.max_header", "PUNA_MAX_HEADER", "32 KiB", "largest request header", 1024, 1048576, "", false}};
inline constexpr Setting<Milliseconds> kHeaderDeadline{{"server.header_deadline", "PUNA_HEADER_DEADLINE", "10s", "time for a client to send its request header", 100, 3600000, "", false}};
inline constexpr Setting<Milliseconds> kBodyDeadline{{"server.body_deadline", "PUNA_BODY_DEADLINE", "60s", "time without a byte while a client sends its body or takes its answer", 100, 3600000, "", false}};
inline constexpr Setting<Milliseconds> kKeepAliveConnection{{"server.connection_idle", "PUNA_CONNECTION_IDLE", "90s", "time an idle connection is kept", 100, 3600000, "", false}};
inline constexpr Setting<std::int64_t> kMaxConnections{{"server.max_connections", "PUNA_MAX_CONNECTIONS", "1024", "open connections; more are refused", 1, 100000, "", false}};
inline constexpr Setting<Milliseconds> kDrain{{"server.drain", "PUNA_DRAIN", "20s", "time that running requests get when the daemon stops", 0, 3600000}};
inline constexpr Setting<Milliseconds> kIdleExit{{"server.idle_exit", "PUNA_IDLE_EXIT", "5m", "a daemon started on demand leaves after this time without clients, jobs and loaded models; -1: never", 100, 9e15}};

inline constexpr Setting<bool> kRequireKey{{"access.require_key", "PUNA_REQUIRE_KEY", "false", "ask for an API key on loopback addresses, too (behind a reverse proxy every request comes from there)"}};

inline constexpr Setting<std::int64_t> kRequestsPerMinute{{"access.requests_per_minute", "PUNA_REQUESTS_PER_MINUTE", "0", "requests to models that each API key, and each address without one, may make in a minute; 0: no limit; programs of this machine without a key have none", 0, 1000000000}};
inline constexpr Setting<std::int64_t> kTokensPerMinute{{"access.tokens_per_minute", "PUNA_TOKENS_PER_MINUTE", "0", "the same for tokens read (those in the KV cache not counted) and written", 0, 1000000000000.0}};
inline constexpr Setting<Milliseconds> kKeepUsage{{"access.keep_usage", "PUNA_KEEP_USAGE", "9600h", "time for which the usage of each day is remembered; -1: for ever", 86400000, 9e15}};

inline constexpr Setting<Milliseconds> kKeepAlive{{"models.keep_alive", "PUNA_KEEP_ALIVE", "5m", "time a model stays loaded after its last request; -1: for ever; 0: not at all"}};
inline constexpr Setting<std::int64_t> kContextLength{{"models.context", "PUNA_CONTEXT", "4096", "context length in tokens for each conversation; 0: the model's own", 0, 16777216}};
inline constexpr Setting<std::int64_t> kSlots{{"models.slots", "PUNA_SLOTS", "4", "requests that one model answers at the same time", 1, 256}};
inline constexpr Setting<std::int64_t> kThreads{{"models.threads", "PUNA_THREADS", "0", "CPU threads for inference; 0: one for each physical core", 0, 1024}};
inline constexpr Setting<std::int64_t> kGpuLayers{{"models.gpu_layers", "PUNA_GPU_LAYERS", "-1", "layers kept on the GPU when there is one; -1: all that fit", -1, 10000}};
inline constexpr Setting<Milliseconds> kLoadStall{{"models.load_stall", "PUNA_LOAD_STALL", "2m", "a load without progress for this time is given up", 1000, 86400000}};
inline constexpr Setting<Milliseconds> kHangProbe{{"models.hang_probe", "PUNA_HANG_PROBE", "60s", "a worker silent for this time while it answers is asked whether it lives", 100, 86400000}};
inline constexpr Setting<Milliseconds> kStopGrace{{"models.stop_grace", "PUNA_STOP_GRACE", "5s", "time a worker gets to end by itself before it is killed", 10, 3600000}};
inline constexpr Setting<double> kModelMemory{{"models.memory", "PUNA_MODEL_MEMORY", "0.85", "share of the available memory that loaded models may take together", 0.01, 1}};
inline constexpr Setting<std::int64_t> kMostModels{{"models.max", "PUNA_MAX_MODELS", "0", "models in memory at the same time; 0: as many as fit", 0, 10000}};
inline constexpr Setting<std::int64_t> kModelQueue{{"models.queue", "PUNA_MODEL_QUEUE", "256", "requests that may wait for one model; more are refused", 1, 100000}};
inline constexpr Setting<std::int64_t> kClientQueue{{"models.client_queue", "PUNA_CLIENT_QUEUE", "128", "requests of one client that may wait, for all models together; more are refused", 1, 100000}};
inline constexpr Setting<Milliseconds> kMaxWait{{"models.max_wait", "PUNA_MAX_WAIT", "10m", "time a request waits for its model and a slot of it; -1: for ever", 1, 9e15}};
inline constexpr Setting<Milliseconds> kModelTurn{{"models.turn", "PUNA_MODEL_TURN", "10s", "time a busy model may keep the memory that another one is waited for, before it takes no new requests", 0, 86400000}};
inline constexpr Setting<std::string> kWorkerProgram{{"models.worker_program", "PUNA_WORKER_PROGRAM", "", "program that runs as worker; empty: this one"}};
inline constexpr Setting<std::vector<std::string>> kModelStores{{"models.stores", "PUNA_MODEL_STORES", "huggingface,ollama,lmstudio,llama.cpp", "other programs whose models are used in place: huggingface, ollama, lmstudio, llama.cpp; nothing there is ever changed"}};
inline constexpr Setting<std::vector<std::string>> kModelFolders{{"models.folders", "PUNA_MODEL_FOLDERS", "", "folders whose model files are used in place"}};
inline constexpr Setting<bool> kProbeModels{{"models.probe", "PUNA_PROBE", "true", "try each new model in the background, when nothing else runs: whether it loads, and what its chat template can do"}};
inline constexpr Setting<Milliseconds> kUndo{{"models.undo", "PUNA_UNDO", "10m", "time for which a removed model can be brought back and its bytes stay taken; 0: not at all", 0, 9e15}};
inline constexpr Setting<bool> kShareCache{{"models.share_cache", "PUNA_SHARE_CACHE", "true", "show models pulled from Hugging Face in its cache, too, as further names of the same files, so that Python tools find them"}};

inline constexpr Setting<std::string> kOverflow{{"models.overflow", "PUNA_OVERFLOW", "refuse", "what happens to a conversation that is longer than the context, unless its request says: refuse it with the counts; shift: leave the oldest turns out; middle-out: leave the middle out; summarise: leave the oldest out and let the model sum them up", 0, 0, "refuse|shift|middle-out|summarise"}};

inline constexpr Setting<Bytes> kWarmDisk{{"warm.disk", "PUNA_WARM_DISK", "4 GiB", "disk space for the state of conversations, so that they go on at once after a swap or a restart; the text can be computed from it; 0: nothing is saved", 0, 1099511627776.0}};
inline constexpr Setting<std::int64_t> kWarmLeast{{"warm.least", "PUNA_WARM_LEAST", "256", "tokens that a conversation has at least when its state is saved", 16, 16777216}};

inline constexpr Setting<std::int64_t> kQueueLimit{{"jobs.queue_limit", "PUNA_QUEUE_LIMIT", "150", "jobs that may wait; more are refused", 1, 100000}};
inline constexpr Setting<std::int64_t> kParallelJobs{{"jobs.parallel", "PUNA_PARALLEL_JOBS", "2", "jobs that run at the same time", 1, 64}};
inline constexpr Setting<std::int64_t> kJobHistory{{"jobs.history", "PUNA_JOB_HISTORY", "500", "ended jobs that are remembered", 1, 1000000}};

inline constexpr Setting<Bytes> kResponsesSize{{"responses.size", "PUNA_RESPONSES_SIZE", "256 MiB", "room for answers of /v1/responses that are kept so that others can go on from them; what was used least recently goes; 0: none are kept", 0, 1099511627776.0}};
inline constexpr Setting<Milliseconds> kResponsesKeep{{"responses.keep", "PUNA_RESPONSES_KEEP", "720h", "time that such an answer is kept after it was used last; -1: for ever", 0, 9e15}};

inline constexpr Setting<Bytes> kLargestFile{{"files.largest", "PUNA_FILES_LARGEST", "512 MiB", "largest file that may be uploaded to /v1/files", 1024, 1099511627776.0}};
inline constexpr Setting<Bytes> kFilesSize{{"files.size", "PUNA_FILES_SIZE", "8 GiB", "room for the files of /v1/files together, outputs of batches among them", 1024, 1099511627776.0}};
inline constexpr Setting<std::int64_t> kParallelLines{{"batches.parallel", "PUNA_BATCHES_PARALLEL", "4", "requests of a batch that are asked at the same time, at low priority", 1, 256}};

inline constexpr Setting<bool> kOffline{{"network.offline", "PUNA_OFFLINE", "false", "never contact another machine", 0, 0, "", true, 0, "HF_HUB_OFFLINE"}};
inline constexpr Setting<std::string> kProxy{{"network.proxy", "PUNA_PROXY", "", "proxy for outgoing requests, such as http://proxy:3128 or socks5h://127.0.0.1:1080; empty: the environment's"}};
inline constexpr Setting<std::string> kCaFile{{"network.ca_file", "PUNA_CA_FILE", "", "file with certificate authorities; empty: the system's"}};
inline constexpr Setting<Milliseconds> kConnectDeadline{{"network.connect_deadline", "PUNA_CONNECT_DEADLINE", "10s", "time to connect to another machine", 10, 3600000}};
inline constexpr Setting<Milliseconds> kFirstByteDeadline{{"network.first_byte_deadline", "PUNA_FIRST_BYTE_DEADLINE", "60s", "time until another machine answers", 10, 86400000}};
inline constexpr Setting<Milliseconds> kIdleDeadline{{"network.idle_deadline", "PUNA_IDLE_DEADLINE", "30s", "time without a byte during an answer", 10, 86400000}};
inline constexpr Setting<std::int64_t> kRetryAttempts{{"network.retry_attempts", "PUNA_RETRY_ATTEMPTS", "5", "tries of a request that failed for a passing reason", 1, 100}};
inline constexpr Setting<Milliseconds> kRetryBase{{"network.retry_base", "PUNA_RETRY_BASE", "500ms", "longest wait before the second try", 1, 3600000}};
inline constexpr Setting<double> kRetryFactor{{"network.retry_factor", "PUNA_RETRY_FACTOR", "2", "factor by which the longest wait grows with each try", 1, 100}};
inline constexpr Setting<Milliseconds> kRetryCap{{"network.retry_cap", "PUNA_RETRY_CAP", "30s", "longest wait before any try", 1, 3600000}};
inline constexpr Setting<bool> kRetryJitter{{"network.retry_jitter", "PUNA_RETRY_JITTER", "true", "wait a random part of the longest wait, so that clients do not return together"}};

inline constexpr Setting<std::int64_t> kTransferConnections{{"transfer.connections", "PUNA_TRANSFER_CONNECTIONS", "32", "most connections to one host; fewer are used when more do not pay", 1, 256}};
inline constexpr Setting<Bytes> kTransferPiece{{"transfer.piece", "PUNA_TRANSFER_PIECE", "8 MiB", "least that one request of a large file asks for", 65536, 1073741824.0}};
inline constexpr Setting<Bytes> kTransferBandwidth{{"transfer.bandwidth", "PUNA_TRANSFER_BANDWIDTH", "0", "most bytes a second that all transfers take together; 0: no limit", 0, 1099511627776.0}};
inline constexpr Setting<std::string> kTransferSchedule{{"transfer.schedule", "PUNA_TRANSFER_SCHEDULE", "", "other bandwidths by local time of day, such as 22:00-06:00=0 08:00-18:00=2MB 12:00-13:00=pause"}};
inline constexpr Setting<Milliseconds> kTransferStall{{"transfer.stall", "PUNA_TRANSFER_STALL", "12s", "a connection without a byte for this time is dialled again", 10, 3600000}};
inline constexpr Setting<Milliseconds> kTransferSlow{{"transfer.slow", "PUNA_TRANSFER_SLOW", "6s", "a connection far slower than the others for this time is dialled again", 100, 3600000}};
inline constexpr Setting<Milliseconds> kKeepPartials{{"transfer.keep_partials", "PUNA_KEEP_PARTIALS", "720h", "time that what came of an abandoned transfer is kept; -1: for ever", 0, 9e15}};

inline constexpr Setting<std::vector<std::string>> kHubEndpoints{{"hub.endpoints", "PUNA_HUB_ENDPOINTS", "https://huggingface.co", "Hugging Face and mirrors of it, tried in this order", 0, 0, "", true, 0, "HF_ENDPOINT"}};
inline constexpr Setting<std::string> kHubToken{{"hub.token", "PUNA_HUB_TOKEN", "", "access token for the first of hub.endpoints, sent to no other host; empty: that of hub.token_file", 0, 0, "", true, 0, "HF_TOKEN|HUGGING_FACE_HUB_TOKEN", true}};
inline constexpr Setting<std::string> kHubTokenFile{{"hub.token_file", "PUNA_HUB_TOKEN_FILE", "", "file with an access token, as `hf auth login` writes it; empty: Hugging Face's usual place", 0, 0, "", true, 0, "HF_TOKEN_PATH"}};
inline constexpr Setting<std::string> kOllamaRegistry{{"hub.ollama_registry", "PUNA_OLLAMA_REGISTRY", "https://registry.ollama.ai", "registry that ollama:// means"}};
inline constexpr Setting<std::string> kModelScopeEndpoint{{"hub.modelscope_endpoint", "PUNA_MODELSCOPE_ENDPOINT", "https://www.modelscope.cn", "site that modelscope:// means", 0, 0, "", true, 0, "MODELSCOPE_DOMAIN"}};
inline constexpr Setting<std::string> kModelScopeToken{{"hub.modelscope_token", "PUNA_MODELSCOPE_TOKEN", "", "access token for ModelScope", 0, 0, "", true, 0, "MODELSCOPE_API_TOKEN", true}};
inline constexpr Setting<std::vector<std::string>> kAllowedOwners{{"hub.allowed_owners", "PUNA_ALLOWED_OWNERS", "", "owners whose models may be pulled, such as ggml-org; for a URL its host; empty: everybody's"}};
inline constexpr Setting<std::vector<std::string>> kPreferredQuantizations{{"hub.quantizations", "PUNA_QUANTIZATIONS", "Q4_K_M,Q4_K_S,UD-Q4_K_XL,MXFP4,Q4_0,Q4_1,IQ4_NL,IQ4_XS,Q5_K_M,Q6_K,Q8_0", "what a pull takes when nobody says, best first: the first that a repository has and the memory holds"}};
inline constexpr Setting<std::int64_t> kLongestSearch{{"hub.longest_search", "PUNA_LONGEST_SEARCH", "200", "characters that a search may have", 1, 4096}};

inline constexpr Setting<std::string> kLogLevel{{"log.level", "PUNA_LOG_LEVEL", "info", "least severity that is logged", 0, 0, "debug|info|warning|error|off"}};
inline constexpr Setting<Bytes> kLogFileSize{{"log.file_size", "PUNA_LOG_FILE_SIZE", "10 MiB", "size at which a log file is rotated", 65536, 1099511627776.0, "", false}};
inline constexpr Setting<std::int64_t> kLogFiles{{"log.files", "PUNA_LOG_FILES", "5", "rotated log files that are kept", 1, 1000, "", false}};
inline constexpr Setting<bool> kLogRequests{{"log.requests", "PUNA_LOG_REQUESTS", "true", "write a line for each request into requests.log: who, which model, how it ended, tokens and times; never what was said"}};

inline constexpr Setting<std::string> kOtlpEndpoint{{"telemetry.otlp_endpoint", "PUNA_OTLP_ENDPOINT", "", "OpenTelemetry collector that is told the spans of each request, by OTLP over HTTP, such as http://localhost:4318; empty: nobody", 0, 0, "", true, 0, "OTEL_EXPORTER_OTLP_ENDPOINT"}};
inline constexpr Setting<std::string> kOtlpHeaders{{"telemetry.otlp_headers", "PUNA_OTLP_HEADERS", "", "header fields for the collector, such as api-key=abc,x=y; values may have escapes as in URLs", 0, 0, "", true, 0, "OTEL_EXPORTER_OTLP_HEADERS", true}};
inline constexpr Setting<std::string> kServiceName{{"telemetry.service_name", "PUNA_SERVICE_NAME", "puna", "name by which the collector knows this daemon", 0, 0, "", true, 0, "OTEL_SERVICE_NAME"}};
// clang-format on

// All of them, in the order of the reference documentation.
[[nodiscard]] std::span<const SettingSpec* const> all();

}  // namespace puna::setting
