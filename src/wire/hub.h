// Models that are elsewhere: what a search finds, what a repository offers, what a pull would do.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "wire/model.h"

namespace puna::wire {

struct HubHit {
  std::string catalogue;   // "huggingface", "modelscope"
  std::string repository;  // "owner/repo"
  std::string source;      // what `puna pull` takes
  std::optional<std::int64_t> downloads;
  std::optional<std::int64_t> likes;
  std::optional<std::string> updated_at;  // RFC 3339, as the catalogue says it
  std::optional<std::string> licence;     // "apache-2.0"
  std::optional<std::string> gated;       // "auto": terms are to be accepted; "manual": its owner decides
  bool is_private = false;
  std::vector<std::string> tags;
};
BOOST_DESCRIBE_STRUCT(HubHit, (), (catalogue, repository, source, downloads, likes, updated_at, licence, gated, is_private, tags))

struct HubPage {
  std::string catalogue;
  std::vector<HubHit> models;
  std::optional<std::string> next;  // a cursor: the same question with it gives the page behind this one
};
BOOST_DESCRIBE_STRUCT(HubPage, (), (catalogue, models, next))

// Whether a model runs here: in the memory that is free now, after other programs end, or not at all.
enum class MemoryFit { fits, fits_when_free, too_large, unknown };
BOOST_DESCRIBE_ENUM(MemoryFit, fits, fits_when_free, too_large, unknown)

// An estimate for one model with the context length and slots of the settings. Bytes.
struct MemoryNeed {
  std::int64_t weights = 0;
  std::optional<std::int64_t> cache;  // of keys and values, at most; absent when the header was not read
  std::int64_t total = 0;
  std::int64_t context_length = 0;  // for each slot
  std::int64_t slots = 0;
  std::int64_t available = 0;  // now
  std::int64_t installed = 0;  // within the container's limit
  MemoryFit fit = MemoryFit::unknown;
};
BOOST_DESCRIBE_STRUCT(MemoryNeed, (), (weights, cache, total, context_length, slots, available, installed, fit))

// Files of a repository that belong together: one quantization.
struct HubVariant {
  std::string name;                    // "Q4_K_M", "safetensors"; the file's stem where it names no quantization
  std::string format;                  // "gguf", "safetensors"
  std::optional<std::int64_t> size;    // bytes of all its files
  std::int64_t parts = 1;              // of the weights
  std::vector<std::string> files;      // the weights first
  std::optional<std::string> problem;  // why it cannot be pulled: a part is missing upstream
  std::optional<MemoryNeed> memory;
  bool chosen = false;  // what a pull takes when nobody says
};
BOOST_DESCRIBE_STRUCT(HubVariant, (), (name, format, size, parts, files, problem, memory, chosen))

struct HubModel {
  HubHit about;
  std::string revision;  // that was asked for
  std::string commit;    // what it is now
  std::optional<std::string> architecture;
  std::optional<std::int64_t> context_length;  // that it was trained for
  std::optional<std::int64_t> parameters;
  std::optional<std::string> chat_template;
  std::vector<HubVariant> variants;
  std::optional<std::string> page;  // for a browser; the form to accept stands there
  std::optional<std::string> card;  // Markdown, when it was asked for
  std::vector<std::string> notes;   // what could not be found out, and why
};
BOOST_DESCRIBE_STRUCT(HubModel, (),
                      (about, revision, commit, architecture, context_length, parameters, chat_template, variants, page, card, notes))

enum class PlanState { here, fetch, import };
BOOST_DESCRIBE_ENUM(PlanState, here, fetch, import)

struct PlanFile {
  std::string path;
  FileRole role = FileRole::weights;
  std::optional<std::int64_t> size;
  std::optional<std::string> digest;  // "sha256:…", "git-sha1:…"
  PlanState state = PlanState::fetch;
  std::string reason;  // "not here", "here already", "differs from the one here"
};
BOOST_DESCRIBE_STRUCT(PlanFile, (), (path, role, size, digest, state, reason))

struct PullPlan {
  std::string source;  // canonical
  std::string name;    // in the library
  std::string catalogue;
  std::optional<std::string> repository;
  std::optional<std::string> revision;
  std::optional<std::string> commit;
  std::optional<std::string> filter;
  std::string variant;  // "Q4_K_M"
  std::vector<PlanFile> files;
  std::optional<std::int64_t> total;  // bytes; absent when a size is not known before the file comes
  std::int64_t here = 0;
  std::optional<std::int64_t> fetch;
  std::int64_t disk_free = 0;
  bool disk_suffices = true;
  std::optional<MemoryNeed> memory;
  std::optional<std::string> replaces;  // what the name stands for now
  bool unchanged = false;               // the library has exactly this under the name
  std::vector<std::string> warnings;
};
BOOST_DESCRIBE_STRUCT(PullPlan, (),
                      (source, name, catalogue, repository, revision, commit, filter, variant, files, total, here, fetch, disk_free,
                       disk_suffices, memory, replaces, unchanged, warnings))

// What is new upstream of one model.
struct OutdatedModel {
  std::string name;
  std::string source;
  std::optional<std::string> have;    // the commit that the library has
  std::optional<std::string> latest;  // the commit there is
  bool outdated = false;
  std::vector<std::string> changed;    // "weights", "projector", "template", "config", "tokenizer", "card", "licence", "other"
  std::optional<std::int64_t> fetch;   // bytes that an update would bring
  std::optional<std::string> problem;  // why it cannot be told
};
BOOST_DESCRIBE_STRUCT(OutdatedModel, (), (name, source, have, latest, outdated, changed, fetch, problem))

struct OutdatedList {
  std::vector<OutdatedModel> models;
};
BOOST_DESCRIBE_STRUCT(OutdatedList, (), (models))

}  // namespace puna::wire
