#include "dataset/format.h"

#include <fmt/format.h>

#include <set>

#include "base/text.h"
#include "dataset/byte_reader.h"
#include "dataset/json_extent.h"

namespace puna::dataset {
namespace {

using wire::DatasetFormat;

std::string extension_of(const SourceFile& file) {
  std::filesystem::path path(lower_ascii(file.name()));
  if (path.extension() == ".gz") path = path.stem();
  return path.extension().string();
}

// Whether the first line is a whole JSON object, and is not the only line.
Result<bool> first_line_is_a_row(const SourceFile& file, const ScanOptions& options) {
  ByteReader reader(file, options.stop, {});
  std::string bytes;
  ByteReader::Line line;
  while (reader.read_line(bytes, options.longest_row.count, line))
    if (!trim(bytes).empty()) break;
  PUNA_CHECK(reader.status());
  const auto begin = skip_space(bytes, 0);
  const auto end = value_end(bytes, begin);
  return end != std::string_view::npos && skip_space(bytes, end) == bytes.size() && bytes[begin] == '{' && reader.skip_space() == '{';
}

Result<DatasetFormat> json_or_lines(const SourceFile& file, bool named_lines, const ScanOptions& options) {
  ByteReader reader(file, options.stop, {});
  const int first = reader.skip_space();
  PUNA_CHECK(reader.status());
  if (first == '[') return DatasetFormat::json;
  if (first != '{') return named_lines ? DatasetFormat::jsonl : DatasetFormat::json;
  if (!named_lines) {
    PUNA_TRY(const bool lines, first_line_is_a_row(file, options));
    return lines ? DatasetFormat::jsonl : DatasetFormat::json;
  }
  // An object that is spread over lines begins with a bracket that stands alone.
  reader.next();
  int byte = reader.peek();
  while (byte == ' ' || byte == '\t' || byte == '\r') reader.next(), byte = reader.peek();
  return byte == '\n' ? DatasetFormat::json : DatasetFormat::jsonl;
}

Result<DatasetFormat> find_format(const SourceFile& file, const FormatOptions& format, const ScanOptions& options,
                                  std::vector<std::string>& notes) {
  if (format.format) return *format.format;
  const auto extension = extension_of(file);
  if (extension == ".csv") return DatasetFormat::csv;
  if (extension == ".tsv" || extension == ".tab") return DatasetFormat::tsv;
  if (extension == ".txt" || extension == ".text" || extension == ".md") return DatasetFormat::text;
  const bool named_lines = extension == ".jsonl" || extension == ".ndjson";
  if (named_lines || extension == ".json") {
    PUNA_TRY(const auto found, json_or_lines(file, named_lines, options));
    if (named_lines && found == DatasetFormat::json) notes.emplace_back("named as JSON lines, but read as JSON: its rows span lines");
    if (!named_lines && found == DatasetFormat::jsonl) notes.emplace_back("named as JSON, but read as JSON lines: one row a line");
    return found;
  }
  ByteReader reader(file, options.stop, {});
  const int first = reader.skip_space();
  if (first == '[' || first == '{') {
    PUNA_TRY(const auto found, json_or_lines(file, false, options));
    notes.push_back(fmt::format("read as {}, by its first bytes", json::enum_name(found)));
    return found;
  }
  return fail(Code::invalid_argument, fmt::format("{}: neither its name nor its first bytes tell its format: name it .json, .jsonl, .csv, "
                                                  ".tsv or .txt, or give the format",
                                                  file.name()));
}

// The header row, if it is read with this separator.
Result<> try_separator(const SourceFile& file, const ScanOptions& options, char separator, Layout& layout) {
  Layout headless;
  headless.format = layout.format;
  headless.separator = layout.separator = separator;
  Problems problems;
  const auto take = [&](const RawRow& row) -> Result<bool> {
    if (!is_utf8(row.bytes)) return fail(Code::invalid_argument, fmt::format("{}: its header row is not UTF-8", file.name()));
    auto cells = parse_table_row(separator, row.bytes, problems);
    layout.columns = cells ? std::move(*cells) : std::vector<std::string>{};
    layout.first_row = row.offset + row.length + 1;
    return false;
  };
  PUNA_CHECK(scan_table(file, headless, options, {take, [&](std::uint64_t, const Problem& problem) { problems.push_back(problem); }}));
  if (!problems.empty()) return fail(Code::invalid_argument, fmt::format("{}: header row: {}", file.name(), problems.front().message));
  return {};
}

// Where commas are decimal points, spreadsheets separate with semicolons.
Result<> read_header_row(const SourceFile& file, const ScanOptions& options, Layout& layout, std::vector<std::string>& notes) {
  const bool tabs = layout.format == DatasetFormat::tsv;
  PUNA_CHECK(try_separator(file, options, tabs ? '\t' : ',', layout));
  for (const char separator : {';', '\t'}) {
    Layout other = layout;
    if (tabs || layout.columns.size() != 1 || !try_separator(file, options, separator, other) || other.columns.size() < 2) continue;
    layout = std::move(other);
    notes.emplace_back(separator == ';' ? "its fields are separated by semicolons" : "its fields are separated by tabs");
  }
  std::set<std::string> seen;
  for (auto& column : layout.columns) {
    column = trim(column);
    if (column.empty()) return fail(Code::invalid_argument, fmt::format("{}: the header row has a column without a name", file.name()));
    if (!seen.insert(column).second)
      return fail(Code::invalid_argument, fmt::format("{}: the header row has two columns named '{}'", file.name(), printable(column)));
  }
  return {};
}

struct TopObject {
  std::vector<std::string> arrays;  // members that hold arrays of objects
  bool alone = false;               // nothing stands behind it
};

Result<TopObject> look_at_object(const SourceFile& file, const ScanOptions& options) {
  ByteReader reader(file, options.stop, options.progress);
  TopObject out;
  reader.skip_space();
  reader.next();
  while (reader.skip_space() == '"' || reader.peek() == ',') {
    if (reader.peek() == ',') {
      reader.next();
      continue;
    }
    std::string key;
    skip_value(reader, &key);
    if (reader.skip_space() != ':') break;
    reader.next();
    if (reader.skip_space() == '[') {
      reader.next();
      if (reader.skip_space() == '{') out.arrays.push_back(member_name(key));
      while (reader.skip_space() != ']' && reader.peek() != ByteReader::kEnd)
        if (reader.peek() == ',' || reader.peek() == '}')
          reader.next();
        else
          skip_value(reader, nullptr);
      reader.next();
    } else {
      skip_value(reader, nullptr);
    }
  }
  if (reader.peek() == '}') reader.next();
  out.alone = reader.skip_space() == ByteReader::kEnd;
  PUNA_CHECK(reader.status());
  return out;
}

// An object around the rows has one array; a row that stands alone has the fields of one.
bool looks_like_a_row(const TopObject& object) {
  static constexpr std::array<std::string_view, 5> kOfRows = {"messages", "conversations", "conversation", "chosen", "rejected"};
  return std::ranges::any_of(object.arrays, [](const std::string& name) { return std::ranges::find(kOfRows, name) != kOfRows.end(); });
}

Result<> find_rows_member(const SourceFile& file, const FormatOptions& format, const ScanOptions& options, Layout& layout) {
  ByteReader reader(file, options.stop, {});
  const int first = reader.skip_space();
  PUNA_CHECK(reader.status());
  if (first != '{') return {};
  PUNA_TRY(const auto object, look_at_object(file, options));
  if (format.rows_member) {
    if (std::ranges::find(object.arrays, *format.rows_member) == object.arrays.end())
      return fail(Code::invalid_argument,
                  fmt::format("{}: has no array of rows '{}'; it has {}", file.name(), printable(*format.rows_member),
                              object.arrays.empty() ? "none" : join(object.arrays, ", ")));
    layout.rows_member = *format.rows_member;
    return {};
  }
  if (!object.alone || object.arrays.empty() || looks_like_a_row(object)) return {};
  if (object.arrays.size() > 1)
    return fail(Code::invalid_argument, fmt::format("{}: its rows could be in any of {}: say which, with the mapping's `rows`", file.name(),
                                                    printable(join(object.arrays, ", "))));
  layout.rows_member = object.arrays.front();
  return {};
}

}  // namespace

Result<Layout> find_layout(SourceFile& file, const FormatOptions& format, const ScanOptions& options, std::vector<std::string>& notes) {
  Layout layout;
  layout.documents = format.documents;
  PUNA_TRY(layout.format, find_format(file, format, options, notes));
  if (layout.format == DatasetFormat::csv || layout.format == DatasetFormat::tsv) PUNA_CHECK(read_header_row(file, options, layout, notes));
  if (layout.format != DatasetFormat::json) return layout;
  PUNA_CHECK(find_rows_member(file, format, options, layout));
  bool nested = false;
  const auto look = [&](const RawRow& row) -> Result<bool> {
    Problems ignored;
    const auto element = parse_row(layout, row.bytes, ignored);
    nested = element && is_squad_article(*element);
    return false;
  };
  ScanOptions articles = options;
  articles.longest_row = std::max(options.longest_row, mib(64));
  PUNA_CHECK(scan_json(file, layout, articles, {look, [](std::uint64_t, const Problem&) {}}));
  if (!nested) return layout;
  notes.emplace_back("nested SQuAD: one row for each question");
  return flatten_squad(file, layout, format, articles);
}

}  // namespace puna::dataset
