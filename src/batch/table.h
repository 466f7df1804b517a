// The tables of batches.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "batch/batch.h"
#include "store/database.h"

namespace puna::batch {

// A line that has its answer.
struct AnsweredLine {
  std::int64_t line = 0;
  bool failed = false;
  std::string answer;  // a line of the output, or of the errors
};
BOOST_DESCRIBE_STRUCT(AnsweredLine, (), (line, failed, answer))

// Thread-safe; blocks. Counts in a batch that is read are those of the moment.
class Table {
 public:
  explicit Table(store::Database& database) : database_(database) {}

  [[nodiscard]] Result<> insert(const Batch& batch);
  // Reads, changes and writes in one step; returns what was written.
  [[nodiscard]] Result<Batch> change(std::string_view id, const std::function<Result<>(Batch&)>& change);
  // Code::not_found; an owner that is given must be the batch's.
  [[nodiscard]] Result<Batch> find(std::string_view id, std::optional<std::string_view> owner = {});
  [[nodiscard]] Result<std::vector<Batch>> list(std::string_view owner);  // in the order of creation
  [[nodiscard]] Result<std::vector<Batch>> unfinished();

  // On disk when it returns. A line is answered once: a second answer is dropped.
  [[nodiscard]] Result<> add_line(std::string_view batch, const AnsweredLine& line);
  [[nodiscard]] Result<std::set<std::int64_t>> answered(std::string_view batch);
  // Up to `count` lines after that one, in their order.
  [[nodiscard]] Result<std::vector<AnsweredLine>> lines_after(std::string_view batch, std::int64_t line, std::int64_t count);
  // The end of a batch, in one step with what `more` does.
  [[nodiscard]] Result<Batch> end(std::string_view id, const std::function<Result<>(store::Transaction&, Batch&)>& more);

 private:
  store::Database& database_;
};

}  // namespace puna::batch
