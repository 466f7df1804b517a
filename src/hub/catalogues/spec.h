// Where models can be found. A catalogue is one file of this folder and one row of registry.cpp.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/settings.h"
#include "hub/listing.h"
#include "hub/reference.h"
#include "hub/transfer/transfer.h"
#include "net/http_client.h"
#include "net/io.h"
#include "os/environment.h"
#include "wire/hub.h"

namespace puna::hub {

// What catalogues work with.
struct Access {
  net::HttpClient& http;
  const SettingsStore& settings;  // read at each use: a reload applies at once
  os::Environment environment;    // for the places where other programs keep their tokens
};

enum class SearchOrder { trending, downloads, likes, updated, created };
BOOST_DESCRIBE_ENUM(SearchOrder, trending, downloads, likes, updated, created)

struct SearchQuery {
  std::string text;
  std::optional<std::string> owner;
  std::optional<std::string> licence;  // "apache-2.0"
  std::optional<std::string> task;     // "text-generation"
  SearchOrder order = SearchOrder::trending;
  bool any_format = false;  // else only repositories with GGUF files
  std::size_t limit = 20;
  std::optional<std::string> cursor;  // of the page before
};

// A repository at this moment.
struct Head {
  std::string repository;  // its present name: it may have moved
  std::string revision;    // that was asked for, the usual one filled in
  std::string commit;
};

// Network thread. Errors tell apart: not_found (repository, revision or file, and which), permission_denied (gated, with the page where
// the form is; refused), unauthenticated, overloaded (with the wait), unavailable (offline, no network, no such host), upstream_failed
// (the server's fault, a web page instead of data), unsupported. An empty answer is never an error in disguise.
class Catalogue {
 public:
  virtual ~Catalogue() = default;
  [[nodiscard]] virtual net::Task<Result<wire::HubPage>> search(SearchQuery query);  // Code::unsupported unless overridden
  // Everything but the variants.
  [[nodiscard]] virtual net::Task<Result<wire::HubModel>> about(Reference reference) = 0;
  // One cheap question.
  [[nodiscard]] virtual net::Task<Result<Head>> head(Reference reference) = 0;
  // All files at the head's commit.
  [[nodiscard]] virtual net::Task<Result<Listing>> list(Reference reference) = 0;
  // Where the file is fetched from: the `mirror`th place that has it (the last one for every larger number). Renewed: credentials that
  // are kept are asked for anew.
  enum class Renew { no, yes };
  [[nodiscard]] virtual net::Task<Result<transfer::Location>> locate(Listing listing, ListedFile file, std::size_t mirror, Renew renew) = 0;
  // Markdown; Code::not_found without one.
  [[nodiscard]] virtual net::Task<Result<std::string>> card(Listing listing);
};

struct CatalogueSpec {
  std::string_view name;   // "huggingface"
  std::string_view title;  // "Hugging Face"
  std::string_view form;   // for help: "owner/repo[:CHOICE][@REVISION]"
  bool searches = false;
  std::unique_ptr<Catalogue> (*make)(const Access& access);
};

}  // namespace puna::hub
