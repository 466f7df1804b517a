// Training data: files read, understood, checked and laid ready for passes in any order.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "base/units.h"
#include "dataset/convert.h"
#include "dataset/row.h"
#include "dataset/scan.h"
#include "dataset/shape.h"

namespace puna::dataset {

enum class BadRows {
  refuse,    // usable() fails
  leave_out  // the report counts them, the rest is used
};
enum class Duplicates { keep, leave_out };

// How many tokens the model's template makes of a row, for the longest of what it is trained with. An error says why the row cannot be
// rendered; the row is unusable then. Code::cancelled and Code::unavailable end the reading.
using TokenCounter = std::function<Result<std::size_t>(const Row& row)>;

struct Options {
  std::optional<wire::TuneTask> task;      // absent: what the rows are for
  std::optional<wire::TuneMethod> method;  // absent: what the rows are for
  wire::DatasetMapping mapping;
  std::optional<wire::DatasetFormat> format;  // absent: found for each file
  TextDocuments documents = TextDocuments::blank_lines;
  std::optional<wire::TrainOn> train_on;  // of conversations; absent: completion
  std::string instruction;                // before a document to sum up, a context to search; empty: instruction_for(task)

  std::vector<std::filesystem::path> evaluation;  // files of their own; without them, a part of the rows
  double eval_fraction = 0;                       // 0 ≤ x < 1; must be 0 when there are such files
  std::uint64_t seed = 42;
  BadRows bad_rows = BadRows::refuse;
  Duplicates duplicates = Duplicates::keep;

  Bytes longest_row = mib(16);
  std::size_t very_long = 100'000;  // characters, from which on a row is reported
  std::size_t examples = 20;        // places kept of each kind of finding
  UnpackLimits unpack;

  TokenCounter count_tokens;   // absent: tokens are not counted
  std::size_t max_tokens = 0;  // rows with more are reported as truncated; 0: no limit
  std::stop_token stop;
  std::function<void(Bytes done, Bytes total)> progress;  // of the text that is read
};

struct Contents;  // the files and where the rows lie in them

// Rows that can be read in any order, as often as wanted. Costs 4 bytes of memory a row, beside the 32 that its Dataset has for it. Valid
// while its Dataset is; thread-safe.
class Rows {
 public:
  [[nodiscard]] std::size_t size() const { return order_.size(); }
  // Reads and converts the row. Code::conflict when somebody changed the file meanwhile.
  [[nodiscard]] Result<Row> at(std::size_t index) const;
  [[nodiscard]] std::size_t characters(std::size_t index) const;
  // What the counter said; 0 without one.
  [[nodiscard]] std::size_t tokens(std::size_t index) const;

 private:
  friend class Dataset;
  Rows(const Contents& contents, std::vector<std::uint32_t> order) : contents_(&contents), order_(std::move(order)) {}

  const Contents* contents_;
  std::vector<std::uint32_t> order_;
};

class Dataset {
 public:
  Dataset(Dataset&&) noexcept;
  Dataset& operator=(Dataset&&) noexcept;
  ~Dataset();

  [[nodiscard]] const wire::DatasetReport& report() const { return report_; }
  [[nodiscard]] Purpose purpose() const { return purpose_; }
  // Whether training may begin: Code::invalid_argument when rows cannot be used and were not to be left out, naming the first of them.
  [[nodiscard]] Result<> usable() const;

  [[nodiscard]] const Rows& rows() const { return train_; }  // that are trained
  [[nodiscard]] const Rows& evaluation() const { return evaluation_; }
  // The first rows as they are understood, with the report: what a face shows.
  [[nodiscard]] Result<wire::DatasetPreview> preview(std::size_t count) const;

 private:
  friend class Opening;
  Dataset(std::unique_ptr<Contents> contents, Purpose purpose, BadRows bad_rows, wire::DatasetReport report,
          std::vector<std::uint32_t> train, std::vector<std::uint32_t> evaluation);

  std::unique_ptr<Contents> contents_;
  Purpose purpose_;
  BadRows bad_rows_;
  wire::DatasetReport report_;
  Rows train_;
  Rows evaluation_;
};

// Reads everything once. Troubles of rows are findings of the report; what fails is what no row can be read without: a file that does not
// exist or has a format nobody knows, rows that fit no shape, a task or method that the rows are not for, options out of bounds, no
// usable row at all.
[[nodiscard]] Result<Dataset> open(std::span<const std::filesystem::path> paths, const Options& options);

}  // namespace puna::dataset
