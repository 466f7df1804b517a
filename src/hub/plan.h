// What a pull would do, given what is here already.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hub/hub.h"
#include "model/library.h"
#include "wire/hub.h"

namespace puna::hub {

struct PlanParts {
  model::Library& library;
  const SettingsStore& settings;
  std::filesystem::path downloads;
  std::filesystem::path models;
  // What an earlier try left of a file, by its key.
  std::function<Bytes(const std::string& key)> partial = [](const std::string&) { return Bytes(); };
};

struct PlannedFile {
  ListedFile file;
  std::string key;     // of its transfer
  std::string sha256;  // of a file that is here; else empty
};

struct Plan {
  wire::PullPlan shown;
  std::vector<PlannedFile> files;
};

// A name that nobody gave and that another repository's model has already gets the owner in front. Looks at the library and the disk: not
// for the network thread.
[[nodiscard]] Result<Plan> make_plan(const Prepared& prepared, const PlanParts& parts);

// What changed between a model of the library and its upstream, as wire::OutdatedModel names it, in the order of its files.
[[nodiscard]] std::vector<std::string> changed_roles(const Plan& plan, const wire::ModelDetail& have);

// The SHA-1 that git gives a file of this content; reads it.
[[nodiscard]] Result<std::string> git_sha1_of(const std::filesystem::path& file);

}  // namespace puna::hub
