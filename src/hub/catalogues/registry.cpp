#include "hub/catalogues/registry.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"

namespace puna::hub {

std::span<const CatalogueSpec> catalogues() {
  static const std::array all = {kHuggingFaceCatalogue, kOllamaCatalogue, kModelScopeCatalogue, kUrlCatalogue, kFileCatalogue};
  return all;
}

Catalogues::Catalogues(const Access& access) {
  for (const auto& spec : catalogues()) all_.emplace(spec.name, spec.make(access));
}

Result<Catalogue*> Catalogues::find(std::string_view name) const {
  if (const auto found = all_.find(name); found != all_.end()) return found->second.get();
  std::vector<std::string> known;
  for (const auto& spec : catalogues())
    if (spec.searches) known.emplace_back(spec.name);
  return fail(Code::invalid_argument, fmt::format("there is no catalogue '{}'; search {}", printable(name), join(known, " or ")));
}

net::Task<Result<wire::HubPage>> Catalogue::search(SearchQuery) {
  co_return fail(Code::unsupported, "this catalogue offers no search");
}

net::Task<Result<std::string>> Catalogue::card(Listing listing) {
  co_return fail(Code::not_found, fmt::format("{} has no model card", listing.reference.shown()));
}

}  // namespace puna::hub
