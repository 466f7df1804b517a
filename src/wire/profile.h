// Profiles: what is served under a name, and how.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "wire/overflow.h"

namespace puna::wire {

// Who computes: our own worker, a command that serves OpenAI's API, or a server somewhere.
enum class EngineKind { builtin, command, remote };
BOOST_DESCRIBE_ENUM(EngineKind, builtin, command, remote)

// Of a worker that failed: started again with the next request, or by itself.
enum class RestartPolicy { never, on_failure };
BOOST_DESCRIBE_ENUM(RestartPolicy, never, on_failure)

// How keys and values of the context are kept. In the order of bytes per value.
enum class CacheType { f32, bf16, f16, q8_0, q5_1, q5_0, q4_1, q4_0, iq4_nl };
BOOST_DESCRIBE_ENUM(CacheType, f32, bf16, f16, q8_0, q5_1, q5_0, q4_1, q4_0, iq4_nl)

enum class Switch { off, on };
BOOST_DESCRIBE_ENUM(Switch, off, on)

// Drafting from what the context already says, without a second model.
enum class NgramMethod { simple, map_k, map_k4v, mod };
BOOST_DESCRIBE_ENUM(NgramMethod, simple, map_k, map_k4v, mod)

struct ProfileAdapter {
  std::string model;            // of the library, or an absolute path to a GGUF file
  std::optional<double> scale;  // default: 1
};
BOOST_DESCRIBE_STRUCT(ProfileAdapter, (), (model, scale))

// What people choose. An absent member: as the settings, the model or the engine have it.
struct ProfileSettings {
  std::optional<std::string> description;
  std::optional<std::string> model;  // of the library; a command or a remote server may do without
  std::optional<EngineKind> engine;  // default: builtin

  // builtin
  std::optional<std::int64_t> context;  // tokens for each slot; 0: what the model was trained for
  std::optional<std::int64_t> slots;
  std::optional<std::int64_t> threads;     // 0: one for each physical core
  std::optional<std::int64_t> gpu_layers;  // -1: as many as fit
  std::optional<std::int64_t> batch;
  std::optional<std::int64_t> micro_batch;
  std::optional<CacheType> cache_type_k;
  std::optional<CacheType> cache_type_v;
  std::optional<Switch> flash_attention;   // absent: where it is faster
  std::optional<std::string> draft_model;  // of the library, or an absolute path
  std::optional<NgramMethod> ngram;
  std::optional<std::int64_t> ngram_size;               // tokens that are looked up
  std::optional<std::int64_t> draft_max;                // tokens
  std::optional<std::int64_t> draft_min;                // tokens
  std::optional<double> draft_probability;              // a draft ends before a token that is less likely
  std::optional<std::vector<ProfileAdapter>> adapters;  // instead of the model's own
  std::optional<std::string> projector;                 // an absolute path; instead of the model's own
  std::optional<std::string> chat_template;             // Jinja; instead of the model's own

  // command
  std::optional<std::vector<std::string>> command;  // an argument vector with {port} or {socket}, {model}, {context}, {slots}, {threads}
  std::optional<std::string> health;                // the path that answers 200 when it is ready; default: /health, else /v1/models
  std::optional<std::string> start_deadline;        // "10m"

  // remote
  std::optional<std::string> url;          // "https://host/v1"
  std::optional<std::string> key_env;      // the name of the environment variable that has the key
  std::optional<std::string> key_file;     // or an absolute path to a file that has it
  std::optional<std::string> served_name;  // the model's name there; of a command, too

  // requests
  std::optional<Overflow> overflow;  // what happens to a conversation that is longer than the context
  std::optional<std::string> system;
  std::optional<json::object> parameters;  // in the names of the API: "temperature", "top_p", "stop", "max_tokens" …

  // life
  std::optional<std::map<std::string, std::string>> environment;
  std::optional<std::string> keep_alive;  // "5m", "-1" for ever, "0" not beyond a request
  std::optional<bool> auto_start;         // with the daemon
  std::optional<RestartPolicy> restart;
  std::optional<std::int64_t> restart_attempts;  // failed starts in a row, then it is given up
  std::optional<std::string> memory_limit;       // "8GiB"
};
BOOST_DESCRIBE_STRUCT(ProfileSettings, (),
                      (description, model, engine, context, slots, threads, gpu_layers, batch, micro_batch, cache_type_k, cache_type_v,
                       flash_attention, draft_model, ngram, ngram_size, draft_max, draft_min, draft_probability, adapters, projector,
                       chat_template, command, health, start_deadline, url, key_env, key_file, served_name, overflow, system, parameters,
                       environment, keep_alive, auto_start, restart, restart_attempts, memory_limit))

// Settings that have a name; each change makes a new version.
struct Profile {
  std::string name;
  std::int64_t version = 1;
  ProfileSettings settings;
  std::string created_at;   // RFC 3339
  std::string modified_at;  // RFC 3339
};
BOOST_DESCRIBE_STRUCT(Profile, (), (name, version, settings, created_at, modified_at))

struct ProfileList {
  std::vector<Profile> profiles;
};
BOOST_DESCRIBE_STRUCT(ProfileList, (), (profiles))

struct NewProfile {
  std::string name;
  ProfileSettings settings;
};
BOOST_DESCRIBE_STRUCT(NewProfile, (), (name, settings))

// Of the settings that are named; null takes one away. To replace a profile it has all settings.
struct ProfileChange {
  std::optional<std::int64_t> version;  // that the change was made from; another one now is a conflict
  ProfileSettings settings;
};
BOOST_DESCRIBE_STRUCT(ProfileChange, (), (version, settings))

struct ProfileVersion {
  std::int64_t version = 0;
  std::string made_at;  // RFC 3339
  std::string note;     // "created", "changed context, slots", "version 2 again", "removed"
  ProfileSettings settings;
};
BOOST_DESCRIBE_STRUCT(ProfileVersion, (), (version, made_at, note, settings))

struct ProfileHistory {
  std::string name;
  bool removed = false;                  // any version can be brought back all the same
  std::vector<ProfileVersion> versions;  // newest first
};
BOOST_DESCRIBE_STRUCT(ProfileHistory, (), (name, removed, versions))

struct RestoreProfile {
  std::int64_t version = 0;
};
BOOST_DESCRIBE_STRUCT(RestoreProfile, (), (version))

struct RecommendProfile {
  std::string model;
};
BOOST_DESCRIBE_STRUCT(RecommendProfile, (), (model))

struct RecommendedSetting {
  std::string name;
  json::value value;
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(RecommendedSetting, (), (name, value, reason))

// Settings for this machine, each with its reason; as they stand they can be made a profile.
struct ProfileRecommendation {
  std::string model;
  ProfileSettings settings;
  std::vector<RecommendedSetting> reasons;
  std::int64_t memory_bytes = 0;     // that a worker with them needs
  std::int64_t available_bytes = 0;  // at this moment
};
BOOST_DESCRIBE_STRUCT(ProfileRecommendation, (), (model, settings, reasons, memory_bytes, available_bytes))

struct Bounds {
  std::int64_t min, max;
  friend constexpr bool operator==(const Bounds&, const Bounds&) = default;
};
inline constexpr Bounds kContextBounds{0, 1 << 24};
inline constexpr Bounds kSlotsBounds{1, 256};
inline constexpr Bounds kThreadsBounds{0, 1024};
inline constexpr Bounds kGpuLayersBounds{-1, 10000};
inline constexpr Bounds kBatchBounds{1, 1 << 16};
inline constexpr Bounds kNgramSizeBounds{1, 1024};
inline constexpr Bounds kDraftBounds{0, 1024};
inline constexpr Bounds kAttemptsBounds{1, 100};
inline constexpr double kLargestScale = 100;  // of an adapter, either way

}  // namespace puna::wire
