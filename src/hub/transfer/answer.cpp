#include "hub/transfer/answer.h"

#include <fmt/format.h>

#include <charconv>
#include <initializer_list>

#include "base/text.h"

namespace puna::hub::transfer {
namespace {

using Kind = Answer::Kind;

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

// "bytes 0-99/1000", "bytes 0-99/*", "bytes */1000"
struct ContentRange {
  std::optional<Span> span;
  std::optional<std::uint64_t> total;
};

std::optional<ContentRange> parse_content_range(std::string_view text) {
  text = trim(text);
  if (!equal_ignoring_case(text.substr(0, 6), "bytes ")) return std::nullopt;
  text = trim(text.substr(6));
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  ContentRange out;
  const auto total = text.substr(slash + 1);
  out.total = parse_number(total);
  if (!out.total && total != "*") return std::nullopt;
  const auto range = text.substr(0, slash);
  if (range == "*") return out;
  const auto dash = range.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = parse_number(range.substr(0, dash));
  const auto last = parse_number(range.substr(dash + 1));
  if (!first || !last || *last < *first || *last == UINT64_MAX || (out.total && *last >= *out.total)) return std::nullopt;
  out.span = Span{*first, *last + 1};
  return out;
}

Result<std::optional<std::uint64_t>> content_length(const net::Headers& headers) {
  std::optional<std::uint64_t> out;
  for (const auto text : headers.all("Content-Length")) {
    const auto length = parse_number(trim(text));
    if (!length || (out && out != length)) return fail(Code::upstream_failed, "the server says two different lengths of one answer");
    out = length;
  }
  return out;
}

Result<> require_plain_body(const net::Headers& headers) {
  const auto encoding = trim(headers.get("Content-Encoding").value_or(""));
  if (!encoding.empty() && !equal_ignoring_case(encoding, "identity"))
    return fail(Code::upstream_failed,
                fmt::format("the server sends the file in the encoding '{}' although none was asked for", printable(encoding)));
  if (lower_ascii(trim(headers.get("Content-Type").value_or(""))).starts_with("multipart/byteranges"))
    return fail(Code::upstream_failed, "the server sends several parts in one answer (multipart/byteranges) although one was asked for");
  return {};
}

Answer judge_part(const Question& question, const std::optional<ContentRange>& range, Answer answer) {
  answer.kind = Kind::misplaced;
  if (!range || !range->span || !question.ranged) return answer;
  answer.version.total = range->total;
  const bool same_size = !question.version.total || !range->total || *question.version.total == *range->total;
  const bool same = question.bound ? question.version.may_equal(answer.version) : same_size;
  answer.span = *range->span;
  if (!same)
    answer.kind = Kind::changed;
  else if (answer.span.from == question.span.from)
    answer.kind = Kind::part;
  return answer;
}

Answer judge_unsatisfied(const Question& question, const std::optional<ContentRange>& range, Answer answer) {
  answer.kind = Kind::misplaced;
  if (!range || !range->total || !question.ranged) return answer;
  answer.version.total = range->total;
  const bool same =
      question.bound ? question.version.may_equal(answer.version) : !question.version.total || *question.version.total == *range->total;
  if (same && question.span.from == *range->total)
    answer.kind = Kind::end;
  else if (!same || question.span.from >= *range->total)
    answer.kind = Kind::changed;
  return answer;
}

bool has_ending(std::string_view name, std::initializer_list<std::string_view> endings) {
  const std::string lower = lower_ascii(name);
  for (const auto ending : endings)
    if (lower.ends_with(ending)) return true;
  return false;
}

}  // namespace

Result<Answer> judge(const Question& question, int status, const net::Headers& headers) {
  if (status != 200 && status != 206 && status != 416)
    return fail(Code::upstream_failed, fmt::format("the server answers with status {} and no file", status));
  Answer answer{.version = FileVersion::of(headers)};
  const auto range_text = headers.get("Content-Range");
  const auto range = range_text ? parse_content_range(*range_text) : std::nullopt;
  if (status == 416) return judge_unsatisfied(question, range, std::move(answer));
  PUNA_CHECK(require_plain_body(headers));
  PUNA_TRY(const auto length, content_length(headers));
  // Some servers send a part with status 200: its Content-Range tells.
  if (status == 206 || (range && range->span)) {
    answer = judge_part(question, range, std::move(answer));
    if (answer.kind == Kind::part && length && *length != answer.span.size())
      return fail(Code::upstream_failed, fmt::format("the server announces {} bytes for a range of {}", *length, answer.span.size()));
    return answer;
  }
  answer.version.total = length;
  answer.span = {0, length.value_or(UINT64_MAX)};
  const bool same_size = !question.version.total || !length || *question.version.total == *length;
  if (question.bound ? !question.version.may_equal(answer.version) : !same_size) answer.kind = Kind::changed;
  return answer;
}

Result<> refuse_impostor(std::string_view name, std::string_view beginning, std::string_view content_type) {
  const std::string type = lower_ascii(trim(content_type.substr(0, content_type.find(';'))));
  const std::string start = lower_ascii(trim(beginning.substr(0, kBeginning)));
  const auto refuse = [&](std::string_view what) { return fail(Code::corrupt_data, fmt::format("{} came instead of the file", what)); };
  if (start.starts_with("version https://git-lfs.github.com/spec/"))
    return refuse("a Git LFS pointer (the few lines that stand for a large file)");
  const bool text = has_ending(name, {".html", ".htm", ".xml", ".md", ".txt", ".json", ".jsonl", ".jinja", ".py", ".svg", ".yaml", ".yml"});
  if (text) return {};
  const bool page = start.starts_with("<!doctype html") || start.starts_with("<html") || start.starts_with("<head") || type == "text/html";
  if (page) return refuse(fmt::format("a web page ({}; of a login or a proxy, perhaps)", type.empty() ? "text/html" : printable(type)));
  if (start.starts_with("<?xml")) return refuse("an answer in XML (of a storage host that refuses, perhaps)");
  const bool error_in_json = start.starts_with("{\"error") || start.starts_with("{ \"error") || start.starts_with("{\"message");
  if (error_in_json || (type == "application/json" && start.starts_with("{")))
    return refuse(fmt::format("an answer in JSON ({})", printable(std::string_view(beginning).substr(0, 120))));
  return {};
}

}  // namespace puna::hub::transfer
