#include "access/key_text.h"

#include <openssl/rand.h>

#include <array>

#include "base/text.h"

namespace puna::access {
namespace {

constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t kLength = 43;  // 62^43 > 2^256
constexpr std::size_t kShown = 6;
constexpr unsigned kFair = 256 / 62 * 62;  // bytes from here on would make some digits likelier than others

}  // namespace

Result<Secret> new_key_text() {
  std::string text(kKeyBeginning);
  while (text.size() < kKeyBeginning.size() + kLength) {
    std::array<unsigned char, 64> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return fail(Code::internal, "the system gives no random numbers");
    for (const unsigned byte : bytes)
      if (byte < kFair && text.size() < kKeyBeginning.size() + kLength) text += kDigits[byte % kDigits.size()];
  }
  return Secret(std::move(text));
}

bool looks_like_key(std::string_view text) {
  return text.starts_with(kKeyBeginning);
}

std::string shown_beginning(std::string_view key) {
  return std::string(key.substr(0, kKeyBeginning.size() + kShown));
}

std::optional<Secret> presented_key(const net::Headers& headers) {
  constexpr std::string_view kScheme = "bearer ";
  std::optional<std::string_view> found;
  const auto consider = [&found](std::string_view text) {
    text = trim(text);
    if (!text.empty() && (!found || (looks_like_key(text) && !looks_like_key(*found)))) found = text;
  };
  if (const auto header = headers.get("Authorization"))
    consider(equal_ignoring_case(header->substr(0, kScheme.size()), kScheme) ? header->substr(kScheme.size()) : *header);
  if (const auto header = headers.get("x-api-key")) consider(*header);
  if (!found) return std::nullopt;
  return Secret(std::string(*found));
}

}  // namespace puna::access
