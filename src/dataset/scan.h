// Where the rows of a file begin and end. Memory does not grow with the file.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/finding.h"
#include "dataset/source_file.h"

namespace puna::dataset {

enum class TextDocuments {
  blank_lines,  // one or more blank lines end a document
  whole_file    // a file is one document
};

// How the bytes of a file become rows; found once, when it is opened.
struct Layout {
  wire::DatasetFormat format = wire::DatasetFormat::jsonl;
  char separator = ',';              // of CSV and TSV
  std::vector<std::string> columns;  // of their header row
  std::uint64_t first_row = 0;       // behind that header
  std::string rows_member;           // of a JSON object: where its rows are
  TextDocuments documents = TextDocuments::blank_lines;
  std::vector<std::uint32_t> lines;  // of rows that were written anew: where they stood in the file
};

struct RawRow {
  std::uint64_t offset = 0;
  std::uint32_t length = 0;
  std::uint64_t line = 0;  // from 1
  std::string_view bytes;  // until the sink returns
};

struct ScanOptions {
  Bytes longest_row = mib(16);
  std::stop_token stop;
  std::function<void(std::uint64_t taken)> progress;
};

struct ScanSinks {
  std::function<Result<bool>(const RawRow& row)> row;  // false: no more are wanted
  std::function<void(std::uint64_t line, const Problem& problem)> problem;
};

// Calls the sinks in the order of the file. Rows that cannot be told from their neighbours are problems, and what follows is read on;
// where no next row can be found (a quote or a bracket that is never closed) a problem says that the rest is not read.
// Fails when the file cannot be read, when a sink does, and with Code::cancelled.
[[nodiscard]] Result<> scan(const SourceFile& file, const Layout& layout, const ScanOptions& options, const ScanSinks& sinks);

[[nodiscard]] Result<> scan_lines(const SourceFile& file, const Layout& layout, const ScanOptions& options, const ScanSinks& sinks);
[[nodiscard]] Result<> scan_documents(const SourceFile& file, const ScanOptions& options, const ScanSinks& sinks);
[[nodiscard]] Result<> scan_whole(const SourceFile& file, const ScanOptions& options, const ScanSinks& sinks);
[[nodiscard]] Result<> scan_table(const SourceFile& file, const Layout& layout, const ScanOptions& options, const ScanSinks& sinks);
[[nodiscard]] Result<> scan_json(const SourceFile& file, const Layout& layout, const ScanOptions& options, const ScanSinks& sinks);

// A row as fields: those of the JSON object, of the header, or "text". Without a value when the bytes are no row; `problems` says why.
[[nodiscard]] std::optional<json::object> parse_row(const Layout& layout, std::string_view bytes, Problems& problems);
// The fields of one line of CSV or TSV (without its end).
[[nodiscard]] std::optional<std::vector<std::string>> parse_table_row(char separator, std::string_view bytes, Problems& problems);

// A problem at an offset of a row's bytes: lines below its first, and the column in characters.
[[nodiscard]] Problem problem_at(Kind kind, std::string_view bytes, std::size_t offset, std::string message);
[[nodiscard]] Problem too_long(Bytes most);

}  // namespace puna::dataset
