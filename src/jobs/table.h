// The jobs table.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "jobs/record.h"
#include "store/database.h"

namespace puna::jobs {

class Table {
 public:
  explicit Table(store::Database& database) : database_(database) {}
  [[nodiscard]] Result<std::vector<Record>> load() const;  // by sequence
  [[nodiscard]] Result<> insert(const Record& record);
  // What can change after the submission.
  [[nodiscard]] Result<> update(const Record& record);
  [[nodiscard]] Result<> remove(std::span<const std::string> ids);

 private:
  store::Database& database_;
};

}  // namespace puna::jobs
