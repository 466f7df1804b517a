// Models in the local library, and models in memory.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace puna::wire {

struct ModelDetails {
  std::string format;        // "gguf"
  std::string architecture;  // "llama"
  std::string quantization;  // "Q4_1"
  std::int64_t parameters = 0;
  std::int64_t context_length = 0;  // that the model was trained for, in tokens
  std::int64_t embedding_length = 0;
  std::int64_t block_count = 0;
  std::vector<std::string> capabilities;  // "completion", "chat", "tools", "thinking", "embedding"
  std::optional<std::string> licence;
};
BOOST_DESCRIBE_STRUCT(ModelDetails, (),
                      (format, architecture, quantization, parameters, context_length, embedding_length, block_count, capabilities,
                       licence))

struct Model {
  std::string name;  // "smollm2:135m"
  std::int64_t size = 0;
  std::string sha256;
  std::string source;                  // where it came from: a path or URL without credentials
  std::string modified_at;             // RFC 3339
  std::optional<std::string> problem;  // why it cannot be used, such as a missing file
  ModelDetails details;
};
BOOST_DESCRIBE_STRUCT(Model, (), (name, size, sha256, source, modified_at, problem, details))

struct ModelList {
  std::vector<Model> models;
};
BOOST_DESCRIBE_STRUCT(ModelList, (), (models))

struct ModelDetail {
  Model model;
  std::string path;                          // of the file
  std::optional<std::string> chat_template;  // Jinja
  json::object metadata;                     // the file's own keys; long arrays are shortened to their length
};
BOOST_DESCRIBE_STRUCT(ModelDetail, (), (model, path, chat_template, metadata))

struct ModelCopy {
  std::string destination;
};
BOOST_DESCRIBE_STRUCT(ModelCopy, (), (destination))

struct ModelRemoval {
  std::string name;
  std::int64_t freed_bytes = 0;              // 0 when another name still uses the file
  std::vector<std::string> remaining_names;  // of the same file
};
BOOST_DESCRIBE_STRUCT(ModelRemoval, (), (name, freed_bytes, remaining_names))

struct PullRequest {
  std::string source;                 // a file's path, or an http(s) URL
  std::optional<std::string> name;    // default: made from the file's name
  std::optional<std::string> sha256;  // 64 hexadecimal digits; another content is refused
};
BOOST_DESCRIBE_STRUCT(PullRequest, (), (source, name, sha256))

enum class WorkerState { starting, loading, ready, busy, stopping, stopped, failed };
BOOST_DESCRIBE_ENUM(WorkerState, starting, loading, ready, busy, stopping, stopped, failed)

// Why a worker ended or never became ready.
enum class WorkerFault {
  none,
  model_missing,
  model_malformed,
  model_unsupported,
  out_of_memory,
  crashed,
  killed,
  hung,
  stalled,
  spawn_failed
};
BOOST_DESCRIBE_ENUM(WorkerFault, none, model_missing, model_malformed, model_unsupported, out_of_memory, crashed, killed, hung, stalled,
                    spawn_failed)

struct WorkerFailure {
  WorkerFault fault = WorkerFault::none;
  std::string message;           // what happened, and what to do
  std::vector<std::string> log;  // the worker's last lines
};
BOOST_DESCRIBE_STRUCT(WorkerFailure, (), (fault, message, log))

struct RunningModel {
  std::string name;
  std::string purpose;  // "generate" or "embed": a model that does both has a worker for each
  WorkerState state = WorkerState::starting;
  double load_progress = 0;  // 0 to 1
  std::optional<std::int64_t> pid;
  std::int64_t active_requests = 0;
  std::optional<std::int64_t> memory_bytes;  // resident, of the worker process
  std::int64_t context_length = 0;           // for each of the slots
  std::int64_t slots = 0;
  std::optional<std::string> expires_at;  // RFC 3339; absent: busy, or kept for ever
  std::optional<WorkerFailure> failure;
};
BOOST_DESCRIBE_STRUCT(RunningModel, (),
                      (name, purpose, state, load_progress, pid, active_requests, memory_bytes, context_length, slots, expires_at, failure))

struct RunningList {
  std::vector<RunningModel> models;
};
BOOST_DESCRIBE_STRUCT(RunningList, (), (models))

struct LoadRequest {
  std::optional<std::string> keep_alive;  // "5m", "-1" for ever, "0" not beyond this request
};
BOOST_DESCRIBE_STRUCT(LoadRequest, (), (keep_alive))

}  // namespace puna::wire
