#include "model/name.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace puna::model {
namespace {

constexpr std::size_t kLongestPart = 96;

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

Result<> check_part(std::string_view part, std::string_view what, std::string_view whole) {
  const auto wrong = [&](std::string_view why) {
    return fail(Code::invalid_argument, fmt::format("'{}' is no model name: {}{}; names look like name, name:tag or owner/name:tag",
                                                    printable(whole.substr(0, 200)), what, why));
  };
  if (part.empty()) return wrong(" is empty");
  if (part.size() > kLongestPart) return wrong(fmt::format(" is longer than {} characters", kLongestPart));
  if (!is_letter_or_digit(part.front())) return wrong(" does not begin with a letter or a digit");
  if (part.find("..") != std::string_view::npos) return wrong(" contains '..'");
  const auto bad = std::ranges::find_if(part, [](char c) { return !is_letter_or_digit(c) && c != '.' && c != '_' && c != '-'; });
  if (bad != part.end()) return wrong(fmt::format(" contains '{}'", printable(std::string_view(&*bad, 1))));
  return {};
}

}  // namespace

Result<Name> Name::parse(std::string_view text) {
  Name out;
  auto base = text;
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    base = text.substr(0, colon);
    out.tag_ = text.substr(colon + 1);
    out.tag_given_ = true;
    PUNA_CHECK(check_part(out.tag_, "the tag", text));
  } else {
    out.tag_ = kDefaultTag;
  }
  const auto slash = base.find('/');
  if (slash != std::string_view::npos) PUNA_CHECK(check_part(base.substr(0, slash), "the owner", text));
  PUNA_CHECK(check_part(slash == std::string_view::npos ? base : base.substr(slash + 1), "the name", text));
  out.base_ = base;
  return out;
}

std::string Name::text() const {
  return base_ + ":" + tag_;
}

std::string Name::key() const {
  return lower_ascii(text());
}

}  // namespace puna::model
