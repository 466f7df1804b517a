// Publishing on Hugging Face: repository, LFS objects, one commit. Source of the protocol: the hub's OpenAPI description, its reference
// client, and https://github.com/git-lfs/git-lfs/tree/main/docs/api.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/secret.h"
#include "hub/publish/cargo.h"
#include "hub/publish/courier.h"
#include "hub/publish/half_sent.h"
#include "net/url.h"

namespace puna::hub::publish {

// An upload in parts, as far as it came: kept so that another attempt goes on there. Its URLs are secrets.
struct HalfSent {
  net::Url complete;
  Bytes part_size;
  std::vector<net::Url> parts;
  std::vector<std::string> etags;  // of the parts that are there
};

using HalfSentFiles = HalfSentMap<HalfSent>;

struct HuggingFaceParts {
  Courier& courier;
  HalfSentFiles& half_sent;
  net::Url endpoint;
  Secret token;
};

// Makes the repository hold the files: creates it if it is not there, sends what it lacks, commits once. What it has already is neither
// sent nor committed, so that asking again costs little. Each refusal has its code: unauthenticated, permission_denied (rights, quota),
// conflict (others keep committing), too_large, invalid_argument (what the server does not like), overloaded, upstream_failed. Blocks.
[[nodiscard]] Result<Published> publish_on_huggingface(const HuggingFaceParts& parts, const Cargo& cargo, const Progress& progress,
                                                       const std::stop_token& stop);

}  // namespace puna::hub::publish
