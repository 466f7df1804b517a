#include <fmt/format.h>

#include "dataset/byte_reader.h"
#include "dataset/json_extent.h"
#include "dataset/scan.h"

namespace puna::dataset {
namespace {

constexpr int kEnd = ByteReader::kEnd;

// Walks the rows of one JSON file.
class JsonScan {
 public:
  JsonScan(const SourceFile& file, const Layout& layout, const ScanOptions& options, const ScanSinks& sinks)
      : layout_(layout), options_(options), sinks_(sinks), reader_(file, options.stop, options.progress) {}

  Result<> run() {
    const int first = reader_.skip_space();
    if (first == '[') {
      PUNA_CHECK(array());
      if (!ended_ && reader_.skip_space() != kEnd) problem("text behind the end of the array, which is not read");
    } else if (first != kEnd && !layout_.rows_member.empty()) {
      PUNA_CHECK(member());
    } else {
      PUNA_CHECK(sequence());
    }
    return reader_.status();
  }

 private:
  void problem(std::string message) { sinks_.problem(reader_.line(), {Kind::syntax, "", std::move(message)}); }
  void stop_with(std::uint64_t line, std::string message) {
    sinks_.problem(line, {Kind::syntax, "", std::move(message)});
    ended_ = true;
  }

  // Rows until the bracket that closes theirs.
  Result<> array() {
    reader_.next();
    bool comma = true, any = false;
    while (!ended_) {
      const int byte = reader_.skip_space();
      if (byte == kEnd) {
        if (reader_.status()) stop_with(reader_.line(), "the array is not closed");
        return {};
      }
      if (byte == ']') {
        if (comma && any) problem("a comma without a row behind it");
        reader_.next();
        return {};
      }
      if (byte == ',') {
        if (comma) problem("a comma without a row before it");
        comma = true;
        reader_.next();
        continue;
      }
      if (!comma) problem("a comma is missing between two rows");
      PUNA_CHECK(value());
      comma = false;
      any = true;
    }
    return {};
  }

  // To the member that has the rows, and through it.
  Result<> member() {
    reader_.next();
    while (!ended_) {
      int byte = reader_.skip_space();
      if (byte == ',') {
        reader_.next();
        continue;
      }
      if (byte != '"') break;
      std::string key;
      skip_value(reader_, &key);
      if (reader_.skip_space() != ':') break;
      reader_.next();
      byte = reader_.skip_space();
      if (byte == '[' && member_name(key) == layout_.rows_member) return array();
      if (!skip_value(reader_, nullptr)) break;
    }
    if (reader_.status()) stop_with(reader_.line(), fmt::format("the member '{}' with the rows cannot be reached", layout_.rows_member));
    return {};
  }

  // Values one behind the other, with or without commas.
  Result<> sequence() {
    while (!ended_) {
      const int byte = reader_.skip_space();
      if (byte == kEnd) return {};
      if (byte == ',') {
        reader_.next();
        continue;
      }
      PUNA_CHECK(value());
    }
    return {};
  }

  Result<> value() {
    const std::uint64_t offset = reader_.offset(), line = reader_.line();
    const auto extent = read_value(reader_, row_, options_.longest_row.count);
    PUNA_CHECK(reader_.status());
    if (!extent.closed) {
      stop_with(line, "the value that begins here is not closed: what follows is not read");
    } else if (extent.length > options_.longest_row.count) {
      sinks_.problem(line, too_long(options_.longest_row));
    } else {
      PUNA_TRY(const bool more, sinks_.row({offset, static_cast<std::uint32_t>(extent.length), line, row_}));
      ended_ = !more;
    }
    return {};
  }

  const Layout& layout_;
  const ScanOptions& options_;
  const ScanSinks& sinks_;
  ByteReader reader_;
  std::string row_;
  bool ended_ = false;
};

}  // namespace

Result<> scan_json(const SourceFile& file, const Layout& layout, const ScanOptions& options, const ScanSinks& sinks) {
  return JsonScan(file, layout, options, sinks).run();
}

}  // namespace puna::dataset
