// Publishing in Ollama's registry, or another one that speaks its protocol: blobs, then the manifest that names them. Source of the
// protocol: https://github.com/ollama/ollama/blob/main/server/upload.go and the Docker registry's HTTP API, version 2.
#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/secret.h"
#include "hub/publish/cargo.h"
#include "hub/publish/courier.h"
#include "hub/publish/half_sent.h"
#include "net/url.h"

namespace puna::hub::publish {

// A blob on its way: its parts are all of one size, up to the last one.
struct HalfSentBlob {
  net::Url next;  // where the next part goes; may hold a secret
  Secret token;   // that the registry gave for it
  Bytes part_size;
  std::vector<std::string> parts;  // the MD5 of each that is there, 16 bytes
};
using HalfSentBlobs = HalfSentMap<HalfSentBlob>;

struct OllamaParts {
  Courier& courier;
  HalfSentBlobs& half_sent;
  net::Url registry;
  std::filesystem::path key_file;  // for registries that want a sign-in
  Bytes part_size;                 // larger for files that would have too many of them
  std::string page;                // for people
  std::string mount_from;          // a repository of the same registry that may have blobs of this model; empty: none
};

// Makes the tag mean the model: sends the blobs that the repository lacks, in parts, then the manifest. A blob that was broken off goes
// on behind its last whole part. The files are those of ollama_layers(). Each refusal has its code: unauthenticated (no key, or one that
// the registry does not know), permission_denied, too_large, invalid_argument (what it does not like), overloaded, upstream_failed. Blocks.
[[nodiscard]] Result<Published> publish_on_ollama(const OllamaParts& parts, const Cargo& cargo, const Progress& progress,
                                                  const std::stop_token& stop);

}  // namespace puna::hub::publish
