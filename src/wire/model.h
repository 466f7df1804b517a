// Models in the local library, and models in memory.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "wire/probe.h"

namespace puna::wire {

struct ModelDetails {
  std::string format;        // "gguf", "safetensors"
  std::string architecture;  // "llama"
  std::string quantization;  // "Q4_1"
  std::int64_t parameters = 0;
  std::int64_t context_length = 0;  // that the model was trained for, in tokens
  std::int64_t embedding_length = 0;
  std::int64_t block_count = 0;
  std::vector<std::string> capabilities;  // "completion", "chat", "tools", "thinking", "vision", "audio", "embedding", "rerank", "adapter"
  std::optional<std::string> licence;
};
BOOST_DESCRIBE_STRUCT(ModelDetails, (),
                      (format, architecture, quantization, parameters, context_length, embedding_length, block_count, capabilities,
                       licence))

// What a file is to its model.
enum class FileRole {
  weights,        // GGUF or safetensors; several in the order of their parts
  projector,      // turns images or sound into what the model reads ("mmproj")
  adapter,        // LoRA
  config,         // config.json, generation_config.json …
  tokenizer,      // tokenizer.json, vocab.txt …
  chat_template,  // of a text: Jinja, or Ollama's own kind
  system,         // the system prompt, as text
  parameters,     // Ollama's "params": a JSON object
  messages,       // Ollama's "messages": a JSON array
  licence,
  card,  // README.md
  other
};
BOOST_DESCRIBE_ENUM(FileRole, weights, projector, adapter, config, tokenizer, chat_template, system, parameters, messages, licence, card,
                    other)

// Where a model came from, exactly enough to ask there for a newer one. Nothing here is secret.
struct Provenance {
  std::string catalogue;                  // "huggingface", "ollama", "modelscope", "url", "file", "create"; empty: nobody knows
  std::optional<std::string> repository;  // "owner/repo", "library/llama3.2"
  std::optional<std::string> revision;    // as it was asked for: "main", "latest"
  std::optional<std::string> commit;      // what the revision was then: a git commit, or the digest of a manifest
  std::optional<std::string> filter;      // which files were chosen, as typed: "Q4_K_M", "*.gguf", "/Q[45]/"
  std::optional<std::string> url;         // or a path
};
BOOST_DESCRIBE_STRUCT(Provenance, (), (catalogue, repository, revision, commit, filter, url))

struct RecipeMessage {
  std::string role;  // "system", "user", "assistant"
  std::string content;
};
BOOST_DESCRIBE_STRUCT(RecipeMessage, (), (role, content))

// What a model adds to requests that do not say otherwise.
struct Recipe {
  std::optional<std::string> system;         // the first message of a chat that has no system message
  std::vector<RecipeMessage> messages;       // before the messages of a chat
  json::object parameters;                   // in the names of the API: "temperature", "top_p", "stop", "max_tokens" …
  std::optional<std::int64_t> context;       // tokens, instead of models.context
  std::optional<std::string> chat_template;  // Jinja, instead of the file's own
};
BOOST_DESCRIBE_STRUCT(Recipe, (), (system, messages, parameters, context, chat_template))

struct Model {
  std::string name;                    // "smollm2:135m"
  std::int64_t size = 0;               // of all files
  std::string sha256;                  // of the first file of weights; empty while nobody has computed it
  std::string source;                  // where it came from, for people; no credentials
  std::string modified_at;             // RFC 3339
  std::optional<std::string> problem;  // why it cannot be used, such as a missing file
  ModelDetails details;
  std::string store = "puna";  // who keeps the files: "puna", or the program in whose folder they are read in place
  Provenance provenance;
  bool pinned = false;                  // is not removed without force
  std::optional<std::string> alias_of;  // this is a further name of that model
  std::optional<ModelProbe> probe;      // what came out when it was tried; absent: it was not, as its files are now
};
BOOST_DESCRIBE_STRUCT(Model, (), (name, size, sha256, source, modified_at, problem, details, store, provenance, pinned, alias_of, probe))

struct ModelList {
  std::vector<Model> models;
};
BOOST_DESCRIBE_STRUCT(ModelList, (), (models))

struct ModelFile {
  std::string path;  // upstream's name
  FileRole role = FileRole::other;
  std::string sha256;  // empty while nobody has computed it
  std::int64_t size = 0;
  std::string place;  // where it lies
};
BOOST_DESCRIBE_STRUCT(ModelFile, (), (path, role, sha256, size, place))

struct ModelDetail {
  Model model;
  std::string path;                          // what a worker loads: the file, or the first part of several
  std::optional<std::string> projector;      // a path
  std::vector<std::string> adapters;         // paths
  std::optional<std::string> chat_template;  // Jinja
  json::object metadata;                     // the file's own keys; long arrays are shortened to their length
  std::vector<ModelFile> files;
  Recipe recipe;
};
BOOST_DESCRIBE_STRUCT(ModelDetail, (), (model, path, projector, adapters, chat_template, metadata, files, recipe))

struct ModelCopy {
  std::string destination;
};
BOOST_DESCRIBE_STRUCT(ModelCopy, (), (destination))

// A further name that follows the model.
struct ModelAlias {
  std::string alias;
};
BOOST_DESCRIBE_STRUCT(ModelAlias, (), (alias))

struct ModelPin {
  bool pinned = true;
};
BOOST_DESCRIBE_STRUCT(ModelPin, (), (pinned))

struct ModelUndo {
  std::optional<std::string> name;  // default: what was removed last
};
BOOST_DESCRIBE_STRUCT(ModelUndo, (), (name))

struct VerifyModels {
  std::optional<std::vector<std::string>> names;  // default: all
};
BOOST_DESCRIBE_STRUCT(VerifyModels, (), (names))

struct ModelRemoval {
  std::string name;                          // an alias is removed alone
  std::int64_t freed_bytes = 0;              // that come back, now or at `until`; 0 when other names use all of the files
  std::vector<std::string> remaining_names;  // that share files with it
  std::optional<std::string> until;          // RFC 3339: so long the removal can be undone
};
BOOST_DESCRIBE_STRUCT(ModelRemoval, (), (name, freed_bytes, remaining_names, until))

// What takes room. Bytes that several models share are counted once: with the first that has them.
struct ModelUsage {
  std::string name;
  std::string store;
  std::int64_t bytes = 0;         // of all its files
  std::int64_t shared_bytes = 0;  // of these, in files that other models of the same store have, too
};
BOOST_DESCRIBE_STRUCT(ModelUsage, (), (name, store, bytes, shared_bytes))

struct Duplicate {
  std::string sha256;
  std::int64_t bytes = 0;              // of one copy
  std::vector<std::string> names;      // the models that hold one
  std::int64_t reclaimable_bytes = 0;  // that one file under several names would save
};
BOOST_DESCRIBE_STRUCT(Duplicate, (), (sha256, bytes, names, reclaimable_bytes))

struct VerifiedFile {
  std::string place;
  std::string sha256;  // that it should have; empty: nobody knows
  std::int64_t size = 0;
  std::vector<std::string> models;  // that have it
  std::optional<std::string> problem;
};
BOOST_DESCRIBE_STRUCT(VerifiedFile, (), (place, sha256, size, models, problem))

enum class RecipeFormat { modelfile, toml };
BOOST_DESCRIBE_ENUM(RecipeFormat, modelfile, toml)

// A new model of another one's files, and what it adds to requests.
struct CreateModel {
  std::string name;
  std::string recipe;                  // Ollama's Modelfile, or TOML
  std::optional<RecipeFormat> format;  // default: modelfile
  std::optional<std::string> folder;   // that relative paths in the recipe start from
};
BOOST_DESCRIBE_STRUCT(CreateModel, (), (name, recipe, format, folder))

// The result of a "verify" job.
struct Verification {
  std::int64_t files = 0;
  std::int64_t bytes = 0;
  std::int64_t unknown = 0;  // files of other programs that do not say what their content should be
  std::vector<VerifiedFile> wrong;
};
BOOST_DESCRIBE_STRUCT(Verification, (), (files, bytes, unknown, wrong))

struct RemovedModel {
  std::string name;
  std::int64_t bytes = 0;  // that come back
  std::string until;       // RFC 3339: so long `undo` brings it back
};
BOOST_DESCRIBE_STRUCT(RemovedModel, (), (name, bytes, until))

struct PartialFile {
  std::string path;
  std::string store;
  std::int64_t bytes = 0;
};
BOOST_DESCRIBE_STRUCT(PartialFile, (), (path, store, bytes))

struct DiskUsage {
  std::vector<ModelUsage> models;
  std::vector<Duplicate> duplicates;
  std::vector<PartialFile> partials;  // downloads that are not complete, of this program and of others
  std::vector<RemovedModel> removed;
  std::int64_t own_bytes = 0;        // of the library's files, removed ones among them
  std::int64_t other_bytes = 0;      // of models in place, each file once
  std::int64_t available_bytes = 0;  // on the disk of the library
  // Of saved conversations, which are computed again when they are gone.
  std::int64_t conversation_bytes = 0;
  std::int64_t conversation_limit = 0;  // as warm.disk has it
};
BOOST_DESCRIBE_STRUCT(DiskUsage, (),
                      (models, duplicates, partials, removed, own_bytes, other_bytes, available_bytes, conversation_bytes,
                       conversation_limit))

struct PullRequest {
  std::string source;                   // "owner/repo:Q4_K_M", "ollama://name:tag", an http(s) URL, a file's path …
  std::optional<std::string> name;      // default: made from the file's name
  std::optional<std::string> sha256;    // of the weights, 64 hexadecimal digits; another content is refused
  std::optional<std::string> filter;    // a quantization, a file, a glob or a /regular expression/
  std::optional<std::string> revision;  // a branch, a tag or a commit
};
BOOST_DESCRIBE_STRUCT(PullRequest, (), (source, name, sha256, filter, revision))

// draining: takes no new requests and lets the running ones end.
enum class WorkerState { starting, loading, ready, busy, draining, stopping, stopped, failed };
BOOST_DESCRIBE_ENUM(WorkerState, starting, loading, ready, busy, draining, stopping, stopped, failed)

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
  spawn_failed,
  port_taken,  // of a command: another program listens there
  not_ready,   // a command or a remote server did not answer in time
  key_refused  // by a remote server
};
BOOST_DESCRIBE_ENUM(WorkerFault, none, model_missing, model_malformed, model_unsupported, out_of_memory, crashed, killed, hung, stalled,
                    spawn_failed, port_taken, not_ready, key_refused)

struct WorkerFailure {
  WorkerFault fault = WorkerFault::none;
  std::string message;           // what happened, and what to do
  std::vector<std::string> log;  // the worker's last lines
};
BOOST_DESCRIBE_STRUCT(WorkerFailure, (), (fault, message, log))

struct RunningModel {
  std::string name;                   // of a profile or a model
  std::optional<std::string> model;   // of the library, that a profile serves
  std::optional<std::string> engine;  // "command" or "remote"; absent: our own
  std::string purpose;                // "generate" or "embed": a model that does both has a worker for each
  WorkerState state = WorkerState::starting;
  double load_progress = 0;  // 0 to 1
  std::optional<std::int64_t> pid;
  std::int64_t active_requests = 0;
  std::optional<std::int64_t> memory_bytes;     // resident, of the worker process
  std::optional<std::int64_t> device_bytes;     // that its engine has allocated on GPUs; absent while it has not said
  std::optional<std::int64_t> predicted_bytes;  // that it was expected to take before it was loaded
  std::optional<std::int64_t> measured_bytes;   // that it takes when all of its buffers are in use, as it was measured
  std::int64_t context_length = 0;              // for each of the slots
  std::int64_t slots = 0;
  std::int64_t queued_requests = 0;       // that wait for it
  bool pinned = false;                    // never makes room for other models
  std::optional<std::string> expires_at;  // RFC 3339; absent: busy, or kept for ever
  std::optional<WorkerFailure> failure;
  std::int64_t failures = 0;                   // in a row
  bool gave_up = false;                        // after so many: it is not started again until somebody asks for that
  std::optional<std::int64_t> returned_bytes;  // of a stopped one: memory that came back
};
BOOST_DESCRIBE_STRUCT(RunningModel, (),
                      (name, model, engine, purpose, state, load_progress, pid, active_requests, memory_bytes, device_bytes,
                       predicted_bytes, measured_bytes, context_length, slots, queued_requests, pinned, expires_at, failure, failures,
                       gave_up, returned_bytes))

// A request that waits for a slot of a model.
struct QueuedRequest {
  std::string request;  // as in the header X-Request-Id
  std::string model;
  std::int64_t position = 0;                     // 1: next
  std::optional<std::int64_t> expected_wait_ms;  // by how long requests have taken; absent while nobody knows
};
BOOST_DESCRIBE_STRUCT(QueuedRequest, (), (request, model, position, expected_wait_ms))

struct RunningList {
  std::vector<RunningModel> models;
};
BOOST_DESCRIBE_STRUCT(RunningList, (), (models))

struct LoadRequest {
  std::optional<std::string> keep_alive;  // "5m", "-1" for ever, "0" not beyond this request
};
BOOST_DESCRIBE_STRUCT(LoadRequest, (), (keep_alive))

}  // namespace puna::wire
