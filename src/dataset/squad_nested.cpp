// SQuAD as it is published: data → paragraphs → qas. https://rajpurkar.github.io/SQuAD-explorer/
#include <fmt/format.h>

#include "base/text.h"
#include "dataset/format.h"
#include "dataset/json_extent.h"

namespace puna::dataset {
namespace {

// The elements of an array, or the member of an object, as extents of the text: the parser does not tell lines.
template <class Visit>
void for_each_element(std::string_view text, std::size_t at, const Visit& visit) {
  for (at = skip_space(text, at + 1); at < text.size() && text[at] != ']'; at = skip_space(text, at)) {
    if (text[at] == ',') {
      ++at;
      continue;
    }
    const auto end = value_end(text, at);
    if (end == std::string_view::npos || end == at) return;
    visit(at, text.substr(at, end - at));
    at = end;
  }
}

std::size_t find_member(std::string_view text, std::size_t at, std::string_view name) {
  for (at = skip_space(text, at + 1); at < text.size() && text[at] != '}'; at = skip_space(text, at)) {
    if (text[at] == ',') {
      ++at;
      continue;
    }
    const auto key_end = value_end(text, at);
    if (key_end == std::string_view::npos) break;
    const auto colon = skip_space(text, key_end);
    const auto begin = skip_space(text, colon + 1);
    const auto end = value_end(text, begin);
    if (end == std::string_view::npos || end == begin) break;
    if (member_name(text.substr(at, key_end - at)) == name) return begin;
    at = end;
  }
  return std::string_view::npos;
}

json::object flat_row(const json::object& question, const json::value& context, const json::value& title) {
  json::object row{{"title", title}, {"context", context}};
  for (const auto& field : question) {
    if (field.key() != "answers" || !field.value().is_array()) {
      row[field.key()] = field.value();
      continue;
    }
    json::array texts, starts;
    for (const auto& answer : field.value().get_array()) {
      const auto* object = answer.if_object();
      const auto* text = object ? object->if_contains("text") : nullptr;
      const auto* start = object ? object->if_contains("answer_start") : nullptr;
      texts.push_back(text ? *text : answer);
      starts.push_back(start ? *start : json::value(nullptr));
    }
    row["answers"] = json::object{{"text", std::move(texts)}, {"answer_start", std::move(starts)}};
  }
  return row;
}

class Flattener {
 public:
  explicit Flattener(int descriptor) : descriptor_(descriptor) {}

  Result<bool> article(const RawRow& raw) {
    line_at_ = 0;
    line_ = raw.line;
    text_ = raw.bytes;
    Problems problems;
    const auto parsed =
        parse_row({.format = wire::DatasetFormat::json, .columns = {}, .rows_member = {}, .lines = {}}, raw.bytes, problems);
    // What is no article becomes a row as it is, and is judged there.
    if (!parsed || !is_squad_article(*parsed)) {
      PUNA_CHECK(write(std::string(raw.bytes), raw.line));
      return true;
    }
    const auto* title = parsed->if_contains("title");
    Result<> outcome;
    std::size_t p = 0;
    const auto& paragraphs = parsed->at("paragraphs").get_array();
    for_each_element(text_, find_member(text_, 0, "paragraphs"), [&](std::size_t at, std::string_view) {
      if (outcome && p < paragraphs.size()) outcome = paragraph(at, paragraphs[p++], title ? *title : json::value(nullptr));
    });
    PUNA_CHECK(outcome);
    return true;
  }

  [[nodiscard]] std::uint64_t written() const { return written_; }
  [[nodiscard]] std::vector<std::uint32_t> lines() && { return std::move(lines_); }

 private:
  Result<> paragraph(std::size_t at, const json::value& paragraph, const json::value& title) {
    const auto* object = paragraph.if_object();
    const auto* questions = object ? object->if_contains("qas") : nullptr;
    if (!questions || !questions->is_array()) return write(json::to_text(paragraph), line_of(at));
    const auto* context = object->if_contains("context");
    const auto begin = find_member(text_, at, "qas");
    if (begin == std::string_view::npos) return {};
    Result<> outcome;
    std::size_t q = 0;
    for_each_element(text_, begin, [&](std::size_t place, std::string_view) {
      if (!outcome || q >= questions->get_array().size()) return;
      const auto& question = questions->get_array()[q++];
      outcome =
          write(question.is_object() ? json::to_text(flat_row(question.get_object(), context ? *context : json::value(nullptr), title))
                                     : json::to_text(question),
                line_of(place));
    });
    return outcome;
  }

  // Places come in rising order.
  std::uint64_t line_of(std::size_t at) {
    line_ += static_cast<std::uint64_t>(
        std::count(text_.begin() + static_cast<std::ptrdiff_t>(line_at_), text_.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    line_at_ = at;
    return line_;
  }

  Result<> write(std::string row, std::uint64_t line) {
    // A row that is no valid JSON may span lines; as white space they mean nothing.
    std::ranges::replace(row, '\n', ' ');
    row += '\n';
    lines_.push_back(static_cast<std::uint32_t>(line));
    written_ += row.size();
    return os::write_all(descriptor_, row);
  }

  int descriptor_;
  std::string_view text_;
  std::size_t line_at_ = 0;
  std::uint64_t line_ = 1, written_ = 0;
  std::vector<std::uint32_t> lines_;
};

}  // namespace

bool is_squad_article(const json::object& element) {
  const auto* paragraphs = element.if_contains("paragraphs");
  return paragraphs && paragraphs->is_array();
}

Result<Layout> flatten_squad(SourceFile& file, const Layout& layout, const FormatOptions& format, const ScanOptions& scan) {
  PUNA_TRY(auto text, unnamed_file(format.folder));
  Flattener flattener(text.get());
  std::vector<std::pair<std::uint64_t, Problem>> broken;
  const auto problem = [&](std::uint64_t line, const Problem& found) { broken.emplace_back(line, found); };
  PUNA_CHECK(scan_json(file, layout, scan, {[&](const RawRow& row) { return flattener.article(row); }, problem}));
  if (!broken.empty())
    return fail(Code::invalid_argument, fmt::format("{}, line {}: {}", file.name(), broken.front().first, broken.front().second.message));
  Layout flat;
  flat.format = wire::DatasetFormat::jsonl;
  const std::uint64_t written = flattener.written();
  flat.rows_member = layout.rows_member;
  flat.lines = std::move(flattener).lines();
  file.read_from(std::move(text), written);
  return flat;
}

}  // namespace puna::dataset
