// The parts of the Hugging Face side of the double, joined by hub_routes.cpp.
#pragma once

#include "fakes/hub/world.h"

namespace puna::fakes {

// What a request of the API is about: /api/models/owner/name/REST…
struct Subject {
  std::string kind;  // "model"
  std::string id;
  std::vector<std::string> rest;
};

// hub_pages.cpp
[[nodiscard]] Answer model_info(World& world, const Request& request, const Subject& subject, const std::string& revision);
[[nodiscard]] Answer tree(World& world, const Request& request, const Subject& subject, const std::string& revision,
                          const std::string& folder);
[[nodiscard]] Answer paths_info(World& world, const Request& request, const Subject& subject, const std::string& revision);
[[nodiscard]] Answer refs(World& world, const Request& request, const Subject& subject);
[[nodiscard]] Answer commits(World& world, const Request& request, const Subject& subject, const std::string& revision);
[[nodiscard]] json::object repository_json(const Repository& repository, const Commit& head);

// hub_files.cpp
[[nodiscard]] Answer resolve(World& world, const Request& request, const Subject& subject, const std::string& revision,
                             const std::string& path);
[[nodiscard]] Answer resolve_cache(World& world, const Request& request);  // where resolve sends for small files
[[nodiscard]] Answer bridge(World& world, const Request& request);         // /v2/…: the registry of Ollama, as the hub speaks it

// hub_search.cpp
[[nodiscard]] Answer search(World& world, const Request& request, const std::string& kind);

// hub_upload.cpp
[[nodiscard]] Answer create_repository(World& world, const Request& request);
[[nodiscard]] Answer delete_repository(World& world, const Request& request);
[[nodiscard]] Answer preupload(World& world, const Request& request, const Subject& subject);
[[nodiscard]] Answer lfs(World& world, const Request& request, const Subject& subject);
[[nodiscard]] Answer commit_files(World& world, const Request& request, const Subject& subject, const std::string& revision);
[[nodiscard]] Answer change_ref(World& world, const Request& request, const Subject& subject);

// `page` of `count` entries from the one that the cursor of the request names, and the Link to the next page.
struct Page {
  std::size_t from = 0, to = 0;
  std::string link;  // empty on the last
};
[[nodiscard]] Page page_of(const Request& request, std::size_t count, std::uint64_t page);

}  // namespace puna::fakes
