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
  const auto parts = split(base, '/');
  if (parts.size() == 3) PUNA_CHECK(check_part(parts[0], "the host", text));
  if (parts.size() >= 2) PUNA_CHECK(check_part(parts[parts.size() > 3 ? 0 : parts.size() - 2], "the owner", text));
  PUNA_CHECK(check_part(parts.size() > 3 ? base.substr(base.find('/', base.find('/') + 1) + 1) : parts.back(), "the name", text));
  out.base_ = base;
  return out;
}

Name Name::made_from(std::string_view text) {
  const auto cleaned = [](std::string_view part) {
    std::string out;
    for (const char c : part.substr(0, kLongestPart)) {
      const bool allowed = is_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
      if (out.empty() && (!allowed || !is_letter_or_digit(c))) continue;
      out += !allowed || (c == '.' && out.back() == '.') ? '-' : c;
    }
    return out.empty() ? std::string("unnamed") : out;
  };
  Name out;
  const auto slash = text.rfind('/');
  const auto colon = text.rfind(':');
  out.tag_given_ = colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash);
  out.tag_ = out.tag_given_ ? cleaned(text.substr(colon + 1)) : std::string(kDefaultTag);
  auto parts = split(text.substr(0, out.tag_given_ ? colon : text.size()), '/');
  if (parts.size() > 3) parts.erase(parts.begin(), parts.end() - 3);
  for (const auto part : parts) out.base_ += (out.base_.empty() ? "" : "/") + cleaned(part);
  return out;
}

Name Name::with_tag(std::string tag) const {
  Name out = *this;
  out.tag_ = std::move(tag);
  out.tag_given_ = true;
  return out;
}

std::string Name::text() const {
  return base_ + ":" + tag_;
}

std::string Name::key() const {
  return lower_ascii(text());
}

}  // namespace puna::model
