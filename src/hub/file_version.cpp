#include "hub/file_version.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "base/text.h"

namespace puna::hub {
namespace {

using Kind = RangeAnswer::Kind;

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

// "bytes 0-99/1000", "bytes 0-99/*", "bytes */1000"
struct ContentRange {
  struct Span {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
  };
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
  if (!first || !last || *last < *first || (out.total && *last >= *out.total)) return std::nullopt;
  out.span = ContentRange::Span{*first, *last};
  return out;
}

bool is_weak(std::string_view etag) {
  return etag.starts_with("W/") || etag.starts_with("w/");
}
std::string_view opaque_tag(std::string_view etag) {
  return is_weak(etag) ? etag.substr(2) : etag;
}

FileVersion version_of(const net::Headers& headers) {
  FileVersion out;
  if (const auto etag = headers.get("ETag"); etag && !trim(*etag).empty()) out.etag = trim(*etag);
  if (const auto date = headers.get("Last-Modified"); date && !trim(*date).empty()) out.last_modified = trim(*date);
  return out;
}

std::optional<std::uint64_t> content_length(const net::Headers& headers) {
  const auto text = headers.get("Content-Length");
  return text ? parse_number(trim(*text)) : std::nullopt;
}

Result<> require_plain_body(const net::Headers& headers) {
  const auto encoding = headers.get("Content-Encoding");
  if (encoding && !trim(*encoding).empty() && !equal_ignoring_case(trim(*encoding), "identity"))
    return fail(Code::upstream_failed,
                fmt::format("the server sends the file in the encoding '{}' although none was asked for", printable(*encoding)));
  return {};
}

RangeAnswer judge_part(const RangeQuestion& question, const std::optional<ContentRange>& range, RangeAnswer answer) {
  if (!range || !range->span || !question.ranged) {
    answer.kind = Kind::unusable;
    return answer;
  }
  answer.version.total = range->total;
  if (question.from > 0 && !question.version.may_equal(answer.version))
    answer.kind = Kind::changed;
  else
    answer.kind = range->span->first == question.from ? Kind::rest : Kind::unusable;
  answer.length = range->span->last - range->span->first + 1;
  return answer;
}

RangeAnswer judge_unsatisfied(const RangeQuestion& question, const std::optional<ContentRange>& range, RangeAnswer answer) {
  answer.length = 0;
  // Only an empty file has no first byte.
  const bool sensible = range && range->total && question.ranged && (question.from > 0 || *range->total == 0);
  if (!sensible) {
    answer.kind = Kind::unusable;
    return answer;
  }
  answer.version.total = range->total;
  answer.kind = *range->total == question.from && question.version.may_equal(answer.version) ? Kind::complete : Kind::changed;
  return answer;
}

}  // namespace

std::optional<std::string> FileVersion::range_validator() const {
  if (etag && !is_weak(*etag)) return etag;
  return last_modified;
}

bool FileVersion::may_equal(const FileVersion& other) const {
  if (total && other.total && total != other.total) return false;
  if (etag && other.etag) return opaque_tag(*etag) == opaque_tag(*other.etag);
  return !last_modified || !other.last_modified || last_modified == other.last_modified;
}

Result<RangeAnswer> judge(const RangeQuestion& question, int status, const net::Headers& headers) {
  PUNA_CHECK(require_plain_body(headers));
  RangeAnswer answer{.version = version_of(headers)};
  const auto range_text = headers.get("Content-Range");
  const auto range = range_text ? parse_content_range(*range_text) : std::nullopt;
  if (status == 304) {
    answer.kind = Kind::unchanged;
    return answer;
  }
  if (status == 416) return judge_unsatisfied(question, range, std::move(answer));
  // Some servers send a part with status 200: its Content-Range tells.
  if (status == 206 || (status == 200 && range && range->span)) return judge_part(question, range, std::move(answer));
  if (status == 200) {
    answer.length = answer.version.total = content_length(headers);
    return answer;
  }
  return fail(Code::upstream_failed, fmt::format("the server answers with status {} and no file", status));
}

}  // namespace puna::hub
