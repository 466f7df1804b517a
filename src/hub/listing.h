// What a repository holds at one commit.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/units.h"
#include "hub/reference.h"
#include "hub/transfer/transfer.h"
#include "wire/model.h"

namespace puna::hub {

struct ListedFile {
  std::string path;  // parts separated by '/'; checked: no step to another folder, no name that a file system treats specially
  std::optional<Bytes> size;
  std::optional<transfer::Digest> digest;
  wire::FileRole role = wire::FileRole::other;
};

struct Listing {
  Reference reference;   // as it was asked for
  std::string revision;  // the usual one filled in: "main", "latest"
  std::string commit;    // what every later request names: a moving branch cannot mix two versions
  std::vector<ListedFile> files;
  std::size_t unsafe_names = 0;  // files left out because of their names
  bool gated = false;            // the list is open, the files may be closed to whoever has not accepted the terms
};

// What a file is to its model, by its name.
[[nodiscard]] wire::FileRole role_of(std::string_view path);

// Adds the file unless its name is unsafe; such a one is counted.
void add_checked(Listing& listing, ListedFile file);

// The repository as the library remembers it: with the host where that is not the usual one.
[[nodiscard]] std::string repository_text(const Reference& reference);

// "sha256:…", "git-sha1:…".
[[nodiscard]] std::string digest_text(const transfer::Digest& digest);

}  // namespace puna::hub
