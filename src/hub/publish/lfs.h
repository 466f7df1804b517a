// Large objects, the way git-lfs sends them: https://github.com/git-lfs/git-lfs/tree/main/docs/api, with the hub's transfer "multipart".
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "hub/publish/huggingface.h"

namespace puna::hub::publish {

struct LfsPlace {
  Courier& courier;
  HalfSentFiles& half_sent;
  const net::Url& endpoint;
  const Secret& token;
  std::string repository;
  std::string branch;
};

// Sends those of the files that the server lacks, in one piece or in the parts that it names; an upload in parts that was broken off goes
// on behind its last whole part. Returns how many bytes it lacked. The token goes to the endpoint alone, never to storage elsewhere.
[[nodiscard]] Result<Bytes> send_objects(const LfsPlace& place, const std::vector<const CargoFile*>& files, const Progress& progress,
                                         const std::stop_token& stop);

}  // namespace puna::hub::publish
