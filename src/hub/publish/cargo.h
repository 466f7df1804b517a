// What is published, and how far it is.
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "hub/reference.h"
#include "wire/model.h"

namespace puna::hub::publish {

struct CargoFile {
  std::string path;  // in the repository
  wire::FileRole role = wire::FileRole::other;
  std::filesystem::path place;  // empty: `text` is the content
  std::string text;
  Bytes size;
  std::string sha256;
  bool only_if_missing = false;  // what is there already was written by somebody who knows better
};

struct Cargo {
  Reference destination;
  std::vector<CargoFile> files;
  wire::ModelDetails details;
  bool is_private = false;  // of a repository that has to be made
  std::string message;
};

struct Published {
  std::string url;       // for people
  std::string commit;    // of the destination, now
  bool created = false;  // the repository
  bool changed = false;  // something in it
  Bytes sent;            // of files that it did not have
};

// Told while it goes on, on any thread; `done` never falls.
using Progress = std::function<void(Bytes done, Bytes total)>;

}  // namespace puna::hub::publish
