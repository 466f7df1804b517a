// CSV and TSV: RFC 4180, with the separator that was found. A quote in the middle of an unquoted field is an ordinary character.
#include <fmt/format.h>

#include "base/text.h"
#include "dataset/byte_reader.h"
#include "dataset/scan.h"

namespace puna::dataset {
namespace {

// Follows quotes to know which line ends are data.
class QuoteState {
 public:
  explicit QuoteState(char separator) : separator_(separator) {}

  [[nodiscard]] bool quoted() const { return state_ == State::quoted; }
  void take(char c) {
    switch (state_) {
      case State::begin:
        state_ = c == '"' ? State::quoted : c == separator_ ? State::begin : State::plain;
        break;
      case State::plain:
        if (c == separator_) state_ = State::begin;
        break;
      case State::quoted:
        if (c == '"') state_ = State::closed;
        break;
      case State::closed:  // or the first of two quotes, which mean one
        state_ = c == '"' ? State::quoted : c == separator_ ? State::begin : State::plain;
        break;
    }
  }
  void end_row() { state_ = State::begin; }

 private:
  enum class State : std::uint8_t { begin, plain, quoted, closed };
  State state_ = State::begin;
  char separator_;
};

}  // namespace

Result<> scan_table(const SourceFile& file, const Layout& layout, const ScanOptions& options, const ScanSinks& sinks) {
  ByteReader reader(file, options.stop, options.progress);
  QuoteState quotes(layout.separator);
  std::string bytes, row;
  ByteReader::Line line, first;
  std::uint64_t length = 0;
  bool open = false;  // the row goes on in the next line
  while (reader.read_line(bytes, options.longest_row.count, line)) {
    if (line.offset < layout.first_row) continue;
    if (!open) {
      if (line.length == 0) continue;
      first = line;
      row.clear();
    }
    length = line.offset + line.length - first.offset;
    const bool kept = length <= options.longest_row.count && line.length <= bytes.size();
    if (kept) {
      // The bytes between two lines are "\n" or "\r\n"; both belong to the field.
      const auto gap = line.offset - first.offset - row.size();
      if (open) row.append(gap == 2 ? "\r\n" : "\n");
      row.append(bytes);
      for (const char c : bytes) quotes.take(c);
      open = quotes.quoted();
    } else if (open) {
      break;
    }
    if (open) continue;
    quotes.end_row();
    if (!kept) {
      sinks.problem(first.number, too_long(options.longest_row));
      continue;
    }
    PUNA_TRY(const bool more, sinks.row({first.offset, static_cast<std::uint32_t>(length), first.number, row}));
    if (!more) return {};
  }
  PUNA_CHECK(reader.status());
  if (open) sinks.problem(first.number, {Kind::syntax, "", "a quote that is opened in this row is not closed: what follows is not read"});
  return {};
}

std::optional<std::vector<std::string>> parse_table_row(char separator, std::string_view bytes, Problems& problems) {
  std::vector<std::string> cells;
  for (std::size_t at = 0;; ++at) {
    std::string cell;
    if (at < bytes.size() && bytes[at] == '"') {
      const std::size_t opened = at++;
      while (true) {
        const auto quote = bytes.find('"', at);
        if (quote == std::string_view::npos) {
          problems.push_back(problem_at(Kind::syntax, bytes, opened, "a quote that is not closed"));
          return std::nullopt;
        }
        cell.append(bytes.substr(at, quote - at));
        at = quote + 1;
        if (at >= bytes.size() || bytes[at] != '"') break;
        cell += '"';
        ++at;
      }
      if (at < bytes.size() && bytes[at] != separator) {
        problems.push_back(
            problem_at(Kind::syntax, bytes, at, "text behind a closing quote; a quote within a quoted field is written twice"));
        return std::nullopt;
      }
    } else {
      const auto end = std::min(bytes.find(separator, at), bytes.size());
      cell = bytes.substr(at, end - at);
      at = end;
    }
    cells.push_back(std::move(cell));
    if (at >= bytes.size()) return cells;
  }
}

}  // namespace puna::dataset
