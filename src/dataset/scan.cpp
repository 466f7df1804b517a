#include "dataset/scan.h"

#include <fmt/format.h>

#include "base/text.h"
#include "dataset/byte_reader.h"

namespace puna::dataset {
namespace {

using wire::DatasetFormat;

std::uint32_t row_length(std::uint64_t length) {
  return static_cast<std::uint32_t>(length);  // no row that is kept is longer than Options allow, which is below 4 GiB
}

std::size_t first_invalid(std::string_view bytes) {
  // Halving finds the first bad byte, because a prefix is valid (but for a character cut at its end) up to it.
  std::size_t good = 0, bad = bytes.size();
  while (bad - good > 1) {
    const std::size_t middle = good + (bad - good) / 2;
    const auto head = bytes.substr(0, middle);
    (is_utf8(head.substr(0, utf8_complete_prefix(head))) ? good : bad) = middle;
  }
  const auto head = bytes.substr(0, good);
  return utf8_complete_prefix(head);
}

std::optional<json::object> parse_json_row(std::string_view bytes, Problems& problems) {
  boost::json::parse_options options;
  options.max_depth = 64;
  boost::json::stream_parser parser({}, options);
  boost::system::error_code error;
  const std::size_t taken = parser.write_some(bytes.data(), bytes.size(), error);
  if (!error && bytes.substr(taken).find_first_not_of(" \t\r\n") != std::string_view::npos) {
    problems.push_back(problem_at(Kind::syntax, bytes, taken, "text behind the end of the row"));
    return std::nullopt;
  }
  if (!error) parser.finish(error);
  if (error) {
    problems.push_back(problem_at(Kind::syntax, bytes, taken, fmt::format("invalid JSON: {}", error.message())));
    return std::nullopt;
  }
  json::value parsed = parser.release();
  if (parsed.is_object()) return std::move(parsed.get_object());
  if (parsed.is_string()) return json::object{{"text", std::move(parsed)}};
  problems.push_back({Kind::not_an_object, "", "expected an object with the row's fields"});
  return std::nullopt;
}

std::optional<json::object> parse_columns(const Layout& layout, std::string_view bytes, Problems& problems) {
  auto cells = parse_table_row(layout.separator, bytes, problems);
  if (!cells) return std::nullopt;
  if (cells->size() != layout.columns.size()) {
    problems.push_back(
        {Kind::column_count, "", fmt::format("{} fields, where the header row has {}", cells->size(), layout.columns.size())});
    return std::nullopt;
  }
  json::object out;
  for (std::size_t i = 0; i < cells->size(); ++i) out[layout.columns[i]] = (*cells)[i];
  return out;
}

}  // namespace

Problem problem_at(Kind kind, std::string_view bytes, std::size_t offset, std::string message) {
  const auto head = bytes.substr(0, offset);
  const auto newline = head.rfind('\n');
  const auto line = head.substr(newline == std::string_view::npos ? 0 : newline + 1);
  const auto characters = std::ranges::count_if(line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  return {kind, "", std::move(message), static_cast<std::size_t>(std::ranges::count(head, '\n')), static_cast<std::size_t>(characters) + 1};
}

Problem too_long(Bytes most) {
  return {Kind::row_too_long, "", fmt::format("longer than {}, which is the most that a row may have", format_bytes(most))};
}

Result<> scan(const SourceFile& file, const Layout& layout, const ScanOptions& options, const ScanSinks& sinks) {
  switch (layout.format) {
    case DatasetFormat::jsonl:
      return scan_lines(file, layout, options, sinks);
    case DatasetFormat::json:
      return scan_json(file, layout, options, sinks);
    case DatasetFormat::csv:
    case DatasetFormat::tsv:
      return scan_table(file, layout, options, sinks);
    case DatasetFormat::text:
      return layout.documents == TextDocuments::whole_file ? scan_whole(file, options, sinks) : scan_documents(file, options, sinks);
  }
  return fail(Code::internal, "a format without a scanner");
}

Result<> scan_lines(const SourceFile& file, const Layout& layout, const ScanOptions& options, const ScanSinks& sinks) {
  ByteReader reader(file, options.stop, options.progress);
  std::string bytes;
  ByteReader::Line line;
  for (std::size_t row = 0; reader.read_line(bytes, options.longest_row.count, line);) {
    if (trim(bytes).empty() && line.length <= bytes.size()) continue;
    const std::uint64_t number = row < layout.lines.size() ? layout.lines[row] : line.number;
    ++row;
    if (line.length > bytes.size()) {
      sinks.problem(number, too_long(options.longest_row));
      continue;
    }
    PUNA_TRY(const bool more, sinks.row({line.offset, row_length(line.length), number, bytes}));
    if (!more) return {};
  }
  return reader.status();
}

Result<> scan_documents(const SourceFile& file, const ScanOptions& options, const ScanSinks& sinks) {
  ByteReader reader(file, options.stop, options.progress);
  std::string bytes, document;
  ByteReader::Line line, first;
  std::uint64_t length = 0;
  bool more = true;
  const auto end_document = [&]() -> Result<> {
    if (length > options.longest_row.count) {
      sinks.problem(first.number, too_long(options.longest_row));
    } else if (length > 0) {
      PUNA_TRY(more, sinks.row({first.offset, row_length(length), first.number, document}));
    }
    document.clear();
    length = 0;
    return {};
  };
  while (more && reader.read_line(bytes, options.longest_row.count, line)) {
    if (trim(bytes).empty() && line.length <= bytes.size()) {
      PUNA_CHECK(end_document());
      continue;
    }
    if (length == 0) first = line;
    const std::uint64_t gap = line.offset - first.offset - length;  // the end of the line before: one byte, or two
    length += gap + line.length;
    if (length > options.longest_row.count) continue;
    document.append(gap == 2 ? "\r\n" : gap == 1 ? "\n" : "").append(bytes);
  }
  if (more) PUNA_CHECK(end_document());
  return reader.status();
}

Result<> scan_whole(const SourceFile& file, const ScanOptions& options, const ScanSinks& sinks) {
  const std::uint64_t length = file.text_end() - file.text_begin();
  if (length > options.longest_row.count) {
    sinks.problem(1, too_long(options.longest_row));
    return {};
  }
  std::string bytes(length, '\0');
  PUNA_TRY(const std::size_t got, file.read(file.text_begin(), bytes.data(), bytes.size()));
  if (trim(std::string_view(bytes).substr(0, got)).empty()) return {};
  PUNA_CHECK(sinks.row({file.text_begin(), row_length(length), 1, bytes}));
  return {};
}

std::optional<json::object> parse_row(const Layout& layout, std::string_view bytes, Problems& problems) {
  if (!is_utf8(bytes)) {
    problems.push_back(problem_at(Kind::encoding, bytes, first_invalid(bytes), "a byte that is not UTF-8"));
    return std::nullopt;
  }
  switch (layout.format) {
    case DatasetFormat::jsonl:
    case DatasetFormat::json:
      return parse_json_row(bytes, problems);
    case DatasetFormat::csv:
    case DatasetFormat::tsv:
      return parse_columns(layout, bytes, problems);
    case DatasetFormat::text:
      break;
  }
  return json::object{{"text", bytes}};
}

}  // namespace puna::dataset
