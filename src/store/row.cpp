#include "store/row.h"

#include <algorithm>

namespace puna::store {

Result<std::size_t> Row::index_of(std::string_view column) const {
  const auto found = std::find(columns_->begin(), columns_->end(), column);
  if (found == columns_->end()) return fail(Code::internal, "the statement has no column '" + std::string(column) + "'");
  return static_cast<std::size_t>(found - columns_->begin());
}

}  // namespace puna::store
