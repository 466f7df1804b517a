#include "hub/choice/filter.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"

namespace puna::hub {
namespace {

constexpr std::size_t kLongestFilter = 400;
constexpr std::int64_t kRegexMemory = 1 << 20;

bool is_regex(std::string_view text) {
  return text.size() > 2 && text.starts_with('/') && text.ends_with('/');
}

bool is_file(std::string_view text) {
  constexpr std::array<std::string_view, 8> kEndings = {".gguf", ".safetensors", ".json", ".bin", ".model", ".txt", ".jinja", ".md"};
  const std::string lower = lower_ascii(text);
  return text.contains('/') || std::ranges::any_of(kEndings, [&](std::string_view ending) { return lower.ends_with(ending); });
}

// RE2 names the faulty part; people want to know where it stands.
Error regex_error(std::string_view typed, const re2::RE2& regex) {
  const auto at = regex.error_arg().empty() ? std::string_view::npos : typed.find(regex.error_arg());
  const std::string where = at == std::string_view::npos ? "" : fmt::format(" at character {}", at + 1);
  return {Code::invalid_argument, fmt::format("{} is no regular expression: {}{}", printable(typed), printable(regex.error()), where)};
}

Result<> check_glob(std::string_view pattern) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '[') continue;
    const auto end = pattern.find(']', i + 2);
    if (end == std::string_view::npos)
      return fail(Code::invalid_argument,
                  fmt::format("'{}' is no pattern: the '[' at character {} is never closed", printable(pattern), i + 1));
    i = end;
  }
  return {};
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

// Whether `c` is in the set that begins behind '['; moves `at` behind ']'.
bool in_set(std::string_view pattern, std::size_t& at, char c) {
  const bool inverted = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
  if (inverted) ++at;
  bool found = false;
  for (bool first = true; at < pattern.size() && (first || pattern[at] != ']'); first = false, ++at) {
    const char from = lower(pattern[at]);
    char to = from;
    if (at + 2 < pattern.size() && pattern[at + 1] == '-' && pattern[at + 2] != ']') {
      to = lower(pattern[at + 2]);
      at += 2;
    }
    found = found || (c >= from && c <= to);
  }
  if (at < pattern.size()) ++at;
  return found != inverted;
}

// One character against the pattern's element at `at`, which is then passed over.
bool takes_one(std::string_view pattern, std::size_t& at, char c) {
  const char element = pattern[at++];
  if (element == '?') return true;
  if (element == '[') return in_set(pattern, at, c);
  return lower(element) == c;
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, retry_text = 0;
  std::optional<std::size_t> star;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      retry_text = t;
      continue;
    }
    std::size_t next = p;
    if (p < pattern.size() && takes_one(pattern, next, lower(text[t]))) {
      p = next;
      ++t;
    } else if (star) {
      p = *star;
      t = ++retry_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Result<Filter> Filter::parse(std::string_view typed) {
  const std::string_view text = trim(typed);
  if (text.empty())
    return fail(Code::invalid_argument, "the filter is empty: name a quantization, a file, a pattern or a /regular expression/");
  if (text.size() > kLongestFilter) return fail(Code::too_large, fmt::format("a filter has at most {} characters", kLongestFilter));
  if (!is_utf8(text)) return fail(Code::invalid_argument, "the filter is not valid UTF-8");
  if (is_regex(text)) {
    re2::RE2::Options options(re2::RE2::Quiet);
    options.set_case_sensitive(false);
    options.set_max_mem(kRegexMemory);
    const auto inner = text.substr(1, text.size() - 2);
    auto regex = std::make_shared<re2::RE2>(re2::StringPiece(inner.data(), inner.size()), options);
    if (!regex->ok()) return fail(regex_error(text, *regex));
    Filter out(FilterKind::regex, std::string(text));
    out.regex_ = std::move(regex);
    return out;
  }
  if (text.find_first_of("*?[") != std::string_view::npos) {
    PUNA_CHECK(check_glob(text));
    return Filter(FilterKind::glob, std::string(text));
  }
  if (text.contains('\\') || text.starts_with('/'))
    return fail(Code::invalid_argument,
                fmt::format("'{}' is neither a file nor a regular expression, which stands between two '/'", printable(text)));
  return Filter(is_file(text) ? FilterKind::file : FilterKind::quantization, std::string(text));
}

bool Filter::matches(std::string_view path) const {
  const auto name = path.substr(path.rfind('/') + 1);
  const bool whole_only = text_.contains('/');
  switch (kind_) {
    case FilterKind::quantization:
      return false;
    case FilterKind::file:
      return equal_ignoring_case(path, text_) || (!whole_only && equal_ignoring_case(name, text_));
    case FilterKind::glob:
      return glob_matches(text_, path) || (!whole_only && glob_matches(text_, name));
    case FilterKind::regex:
      return re2::RE2::PartialMatch(re2::StringPiece(path.data(), path.size()), *regex_);
  }
  return false;
}

}  // namespace puna::hub
