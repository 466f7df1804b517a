// From the fields of a file to the one form of a row.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "dataset/finding.h"
#include "dataset/row.h"
#include "dataset/shape.h"
#include "dataset/turns.h"

namespace puna::dataset {

// What a question without an answer in its context is answered with.
inline constexpr std::string_view kUnanswerable = "unanswerable";

struct ConvertOptions {
  Purpose purpose;
  wire::TrainOn train_on = wire::TrainOn::completion;
  std::string instruction;  // before a document or a context; empty: instruction_for(task)
};
[[nodiscard]] std::string_view instruction_for(wire::TuneTask task);

class Converter {
 public:
  // `mapping` is complete, as detect() gives it.
  Converter(const wire::DatasetMapping& mapping, ConvertOptions options);

  // Nothing when a problem is an error. All that is wrong with the row is found, not only the first. The caller sets file and line.
  [[nodiscard]] std::optional<Row> convert(const json::object& record, Problems& problems) const;

 private:
  class Work;

  Shape shape_;
  std::map<std::string, std::string> fields_;
  TurnNames turn_names_;
  ConvertOptions options_;
};

}  // namespace puna::dataset
