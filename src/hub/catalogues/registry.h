// The catalogues there are.
#pragma once

#include <map>
#include <span>

#include "hub/catalogues/spec.h"

namespace puna::hub {

[[nodiscard]] std::span<const CatalogueSpec> catalogues();

// One of each. Outlives the tasks of its catalogues.
class Catalogues {
 public:
  explicit Catalogues(const Access& access);

  // Code::invalid_argument names those there are.
  [[nodiscard]] Result<Catalogue*> find(std::string_view name) const;

 private:
  std::map<std::string_view, std::unique_ptr<Catalogue>> all_;
};

extern const CatalogueSpec kHuggingFaceCatalogue;
extern const CatalogueSpec kOllamaCatalogue;
extern const CatalogueSpec kModelScopeCatalogue;
extern const CatalogueSpec kUrlCatalogue;
extern const CatalogueSpec kFileCatalogue;

}  // namespace puna::hub
