// One row of an answer.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/value.h"

namespace puna::store {

class Row {
 public:
  using Columns = std::vector<std::string>;
  Row(std::shared_ptr<const Columns> columns, std::vector<Value> cells) : columns_(std::move(columns)), cells_(std::move(cells)) {}

  // Code::corrupt_data names the column whose content is not a T; a column that the statement does not name is Code::internal.
  template <class T>
  [[nodiscard]] Result<T> get(std::string_view column) const {
    PUNA_TRY(auto index, index_of(column));
    return get_at<T>(index);
  }
  template <class T>
  [[nodiscard]] Result<T> get_at(std::size_t index) const {
    auto out = from_value<T>(cells_[index]);
    if (!out) return fail(std::move(out).error().within("column " + (*columns_)[index]));
    return out;
  }
  // Each member of the described struct from the column of its name.
  template <json::Described T>
  [[nodiscard]] Result<T> as() const {
    T out{};
    std::optional<Error> error;
    boost::mp11::mp_for_each<json::detail::members<T>>([&](auto member) {
      if (error) return;
      using Field = std::remove_reference_t<decltype(out.*member.pointer)>;
      auto cell = get<Field>(member.name);
      if (cell)
        out.*member.pointer = std::move(*cell);
      else
        error = std::move(cell).error();
    });
    if (error) return fail(std::move(*error));
    return out;
  }
  [[nodiscard]] const Columns& columns() const { return *columns_; }

 private:
  [[nodiscard]] Result<std::size_t> index_of(std::string_view column) const;

  std::shared_ptr<const Columns> columns_;
  std::vector<Value> cells_;
};

}  // namespace puna::store
