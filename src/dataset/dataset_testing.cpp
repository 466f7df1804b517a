#include "dataset/dataset_testing.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "os/file.h"

namespace puna::dataset {

DataFolder::DataFolder() : folder_(os::TemporaryFolder::create().value()) {}

std::filesystem::path DataFolder::write(const std::string& name, std::string_view bytes) const {
  auto path = folder_.path() / name;
  EXPECT_TRUE(os::write_file_atomic(path, bytes));
  return path;
}

Result<Dataset> DataFolder::open(const std::string& name, std::string_view bytes, const Options& options) const {
  const std::vector paths{write(name, bytes)};
  return dataset::open(paths, options);
}

std::vector<Row> DataFolder::rows(const std::string& name, std::string_view bytes, const Options& options) const {
  const auto data = open(name, bytes, options);
  EXPECT_TRUE(data) << data.error().text();
  return data ? rows_of(data->rows()) : std::vector<Row>{};
}

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  EXPECT_EQ(::deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(::deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

std::vector<Row> rows_of(const Rows& rows) {
  std::vector<Row> out;
  for (std::size_t i = 0; i < rows.size(); ++i) out.push_back(rows.at(i).value());
  return out;
}

std::string script(const std::vector<Message>& messages) {
  std::string out;
  for (const auto& message : messages)
    out += fmt::format("{}{}{}: {}{}", out.empty() ? "" : " | ", json::enum_name(message.role), message.weight > 0 ? "*" : "",
                       message.content, message.tool_calls ? json::to_text(*message.tool_calls) : "");
  return out;
}

std::string script(const Row& row) {
  if (row.text) return *row.text;
  std::string out = script(row.messages);
  if (row.chosen) out += fmt::format(" + {}", script(*row.chosen));
  if (row.rejected) out += fmt::format(" - {}", script(*row.rejected));
  if (row.label) out += *row.label ? " (good)" : " (bad)";
  return out;
}

std::vector<std::string> findings(const Dataset& dataset) {
  std::vector<std::string> out;
  for (const auto& finding : dataset.report().findings) {
    if (finding.kind == "few-rows") continue;  // tests are small
    for (const auto& place : finding.examples)
      out.push_back(fmt::format("{} {}:{}{}", finding.kind, std::filesystem::path(place.file).filename().string(), place.line,
                                place.field ? " " + *place.field : ""));
  }
  return out;
}

}  // namespace puna::dataset
