// Small files for tests of data sets.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/dataset.h"
#include "os/temporary_folder.h"

namespace puna::dataset {

class DataFolder {
 public:
  DataFolder();
  // Writes the file and gives its path.
  std::filesystem::path write(const std::string& name, std::string_view bytes) const;
  [[nodiscard]] Result<Dataset> open(const std::string& name, std::string_view bytes, const Options& options = {}) const;
  // The rows of a file that must open.
  [[nodiscard]] std::vector<Row> rows(const std::string& name, std::string_view bytes, const Options& options = {}) const;

 private:
  os::TemporaryFolder folder_;
};

[[nodiscard]] std::string gzip(std::string_view bytes);
[[nodiscard]] std::vector<Row> rows_of(const Rows& rows);
// "user: Hi | assistant*: Hello": trained messages have a star.
[[nodiscard]] std::string script(const std::vector<Message>& messages);
[[nodiscard]] std::string script(const Row& row);
// "missing-field x.jsonl:2 output": of each finding its kind, and of each place file (without folder), line and field.
[[nodiscard]] std::vector<std::string> findings(const Dataset& dataset);

}  // namespace puna::dataset
