// What a worker is started with.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/units.h"
#include "os/environment.h"
#include "wire/profile.h"

namespace puna::fleet {

// How the engine is set up. Absent: as the settings or the engine have it.
struct EngineSettings {
  std::optional<std::int64_t> context;  // tokens for each slot
  std::optional<std::int64_t> slots;
  std::optional<std::int64_t> threads;
  std::optional<std::int64_t> gpu_layers;
  std::optional<std::int64_t> batch;
  std::optional<std::int64_t> micro_batch;
  std::optional<wire::CacheType> cache_type_k;
  std::optional<wire::CacheType> cache_type_v;
  std::optional<wire::Switch> flash_attention;
  std::optional<wire::NgramMethod> ngram;
  std::optional<std::int64_t> ngram_size;
  std::optional<std::int64_t> draft_max;
  std::optional<std::int64_t> draft_min;
  std::optional<double> draft_probability;
  bool operator==(const EngineSettings&) const = default;
};

// A LoRA adapter.
struct Adapter {
  std::filesystem::path file;
  double scale = 1;
  bool operator==(const Adapter&) const = default;
};

// What happens to the worker while nobody asks it for anything; a change of it needs no new worker.
struct LifeRules {
  std::optional<Milliseconds> keep_alive;  // instead of the setting
  bool pinned = false;                     // never makes room for other models
  wire::RestartPolicy restart = wire::RestartPolicy::never;
  std::int64_t restart_attempts = 5;  // failures in a row before it is given up
  bool operator==(const LifeRules&) const = default;
};

struct Launch {
  std::string name;   // the worker's key: a profile's or a model's full name
  std::string model;  // the full name in the library; empty: none
  wire::EngineKind kind = wire::EngineKind::builtin;
  std::filesystem::path file;                // of several parts: the first, with the others beside it
  std::vector<std::filesystem::path> parts;  // the others
  std::filesystem::path projector;           // empty: none
  std::vector<Adapter> adapters;
  std::filesystem::path chat_template;             // Jinja; empty: the file's own
  std::filesystem::path draft;                     // a smaller model that guesses ahead; empty: none
  std::vector<std::filesystem::path> draft_parts;  // its others
  EngineSettings engine;

  // A program that serves OpenAI's API: its argument vector (fleet/command_line.h).
  std::vector<std::string> command;
  // A server that somebody else runs: its address, up to "/v1" or without it, and where its key is: a variable of our environment, or a
  // file.
  std::string url;
  std::string key_env;
  std::string key_file;
  // Of both: the path that answers 200 when it is ready (empty: /health, else /v1/models), and how long that may take.
  std::string health;
  std::optional<Milliseconds> start_deadline;

  std::string served_name;            // what a command or a remote server calls the model; empty: as the request says
  os::Environment environment;        // beside what every worker gets
  std::optional<Bytes> memory_limit;  // of the process
  LifeRules life;
  bool operator==(const Launch&) const = default;

  // Whether a worker of this launch can serve for `wanted`: it may have further adapters, which take no part unless a request names them.
  [[nodiscard]] bool same_process(const Launch& wanted) const {
    Launch mine = *this;
    mine.life = wanted.life;
    if (has_adapters_of(wanted)) mine.adapters = wanted.adapters;
    return mine == wanted;
  }
  [[nodiscard]] bool has_adapters_of(const Launch& wanted) const {
    const auto in = [](const std::vector<Adapter>& all, const Adapter& one) { return std::ranges::find(all, one) != all.end(); };
    return std::ranges::all_of(wanted.adapters, [&](const Adapter& one) { return in(adapters, one); }) &&
           std::ranges::all_of(adapters, [&](const Adapter& one) { return one.scale == 0 || in(wanted.adapters, one); });
  }

  // Every file of ours that goes into memory.
  [[nodiscard]] std::vector<std::filesystem::path> loaded() const {
    std::vector<std::filesystem::path> out;
    for (const auto* one : {&file, &projector, &draft})
      if (!one->empty()) out.push_back(*one);
    out.insert(out.end(), parts.begin(), parts.end());
    out.insert(out.end(), draft_parts.begin(), draft_parts.end());
    for (const auto& adapter : adapters) out.push_back(adapter.file);
    return out;
  }
};

}  // namespace puna::fleet
