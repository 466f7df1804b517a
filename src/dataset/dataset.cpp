#include "dataset/dataset.h"

#include <fmt/format.h>

#include "dataset/contents.h"

namespace puna::dataset {

Result<Row> Rows::at(std::size_t index) const {
  const RowPlace& place = contents_->places.at(order_.at(index));
  const OpenFile& source = contents_->files[place.file];
  PUNA_CHECK(source.file.unchanged());
  std::string bytes(place.length, '\0');
  PUNA_TRY(const std::size_t got, source.file.read(place.offset, bytes.data(), bytes.size()));
  Problems problems;
  const auto record = got == bytes.size() ? parse_row(source.layout, bytes, problems) : std::nullopt;
  auto row = record ? contents_->converter.convert(*record, problems) : std::nullopt;
  if (!row) return fail(Code::conflict, fmt::format("{}, line {}: not the row that was there", source.file.name(), place.line));
  row->file = source.file.name();
  row->line = place.line;
  return std::move(*row);
}

std::size_t Rows::characters(std::size_t index) const {
  return contents_->places.at(order_.at(index)).characters;
}

std::size_t Rows::tokens(std::size_t index) const {
  return contents_->places.at(order_.at(index)).tokens;
}

Dataset::Dataset(std::unique_ptr<Contents> contents, Purpose purpose, BadRows bad_rows, wire::DatasetReport report,
                 std::vector<std::uint32_t> train, std::vector<std::uint32_t> evaluation)
    : contents_(std::move(contents)),
      purpose_(purpose),
      bad_rows_(bad_rows),
      report_(std::move(report)),
      train_(*contents_, std::move(train)),
      evaluation_(*contents_, std::move(evaluation)) {}
Dataset::Dataset(Dataset&&) noexcept = default;
Dataset& Dataset::operator=(Dataset&&) noexcept = default;
Dataset::~Dataset() = default;

Result<> Dataset::usable() const {
  if (report_.errors == 0 || bad_rows_ == BadRows::leave_out) return {};
  const auto& finding = report_.findings.front();
  std::string first = finding.message;
  if (!finding.examples.empty()) {
    const auto& place = finding.examples.front();
    first = fmt::format("{}, line {}{}: {}", place.file, place.line, place.field ? ", field " + *place.field : "", place.message);
  }
  return fail(Code::invalid_argument,
              fmt::format("{} of {} rows cannot be used; the first: {}. Correct them, or leave them out", report_.statistics.unusable_rows,
                          report_.statistics.unusable_rows + report_.statistics.rows, first));
}

Result<wire::DatasetPreview> Dataset::preview(std::size_t count) const {
  wire::DatasetPreview out{report_, {}};
  for (std::size_t i = 0; i < std::min(count, train_.size()); ++i) {
    PUNA_TRY(auto row, train_.at(i));
    out.rows.push_back(std::move(row));
  }
  return out;
}

}  // namespace puna::dataset
