// What is elsewhere: searching, looking into repositories, and finding out what a pull would bring.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hub/catalogues/registry.h"
#include "hub/choice/memory.h"
#include "hub/choice/variants.h"
#include "wire/hub.h"
#include "wire/model.h"

namespace puna::hub {

// What the network says about a pull: everything but what is here already.
struct Prepared {
  Listing listing;
  Variant variant;
  std::optional<std::string> filter;  // as asked for, else the quantization that was chosen: an update keeps it
  std::optional<ModelFacts> facts;
  std::string name;  // asked for, or made from the file's
  bool name_was_given = false;
  std::vector<std::string> notes;  // what could not be found out, and why
};

// Network thread; outlives its tasks.
class Hub {
 public:
  Hub(net::HttpClient& http, const SettingsStore& settings, os::Environment environment);

  // Code::invalid_argument for a question that is too long, or without any word and any filter.
  [[nodiscard]] net::Task<Result<wire::HubPage>> search(std::string catalogue, SearchQuery query);
  // A repository: what is known of it, and its quantizations with their sizes and whether they run here.
  enum class Card { leave, bring };
  [[nodiscard]] net::Task<Result<wire::HubModel>> show(Reference reference, Card card);
  // Code::permission_denied when its owner is not among those that the settings allow.
  enum class Look { names_only, into_header };  // into_header: what is needed to tell whether it will run
  [[nodiscard]] net::Task<Result<Prepared>> prepare(Reference reference, wire::PullRequest request, Look look);
  [[nodiscard]] net::Task<Result<Head>> head(Reference reference);
  [[nodiscard]] net::Task<Result<transfer::Location>> locate(Listing listing, ListedFile file, std::size_t mirror, Catalogue::Renew renew);

 private:
  [[nodiscard]] net::Task<Result<ModelFacts>> facts_of_variant(Listing listing, ListedFile first);
  [[nodiscard]] Result<> check_owner(const Reference& reference) const;

  const Access access_;
  const Catalogues catalogues_;
  std::map<std::string, ModelFacts> facts_;  // by digest; a few
};

// The reference that a request means: its filter and revision in their places. Code::invalid_argument when they contradict it.
[[nodiscard]] Result<Reference> reference_of(const wire::PullRequest& request);
// Where a model of the library came from; nullopt for one that has no upstream.
[[nodiscard]] std::optional<Reference> upstream_of(const wire::Provenance& provenance);

}  // namespace puna::hub
