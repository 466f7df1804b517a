// What came out when models were tried, and what that changes in what they are said to do.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/table.h"
#include "wire/model.h"

namespace puna::model {

// Of a file that decides what a model can do. Another content, another time: another print.
struct PrintedFile {
  wire::FileRole role = wire::FileRole::weights;
  std::string content;  // its SHA-256, or its place
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
};
// Of weights and chat template; what else there is decides nothing. Also of the suite: a newer one tries every model anew.
[[nodiscard]] std::string print_of(const std::vector<PrintedFile>& files);

// What the file's header says, put right by what was seen.
[[nodiscard]] std::vector<std::string> put_right(std::vector<std::string> capabilities, const wire::ModelProbe& probe);

// Not thread-safe.
class Probes {
 public:
  explicit Probes(Table& table) : table_(table) {}
  // What belongs to no model of late is forgotten.
  [[nodiscard]] Result<> load(const std::vector<std::string>& prints);
  [[nodiscard]] Result<> put(std::string_view print, wire::ModelProbe probe);
  // Puts the findings into the model, and its capabilities right.
  void tell(wire::Model& model, std::string_view print) const;

 private:
  Table& table_;
  std::map<std::string, wire::ModelProbe, std::less<>> probes_;
};

}  // namespace puna::model
