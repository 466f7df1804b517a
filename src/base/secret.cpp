#include "base/secret.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.h"

namespace puna {
namespace {

constexpr std::string_view kMask = "***";
constexpr std::array<std::string_view, 8> kKeyPrefixes = {"hf_", "sk-", "gsk_", "xai-", "AIza", "ghp_", "github_pat_", "puna_"};
constexpr std::size_t kShortestKey = 12;

bool is_token_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.';
}

std::size_t token_end(std::string_view text, std::size_t start) {
  while (start < text.size() && is_token_character(text[start])) ++start;
  return start;
}

// The end of a credential that starts at `at`, or `at` when none does.
std::size_t key_end(std::string_view text, std::size_t at) {
  if (at > 0 && is_token_character(text[at - 1])) return at;
  for (const auto prefix : kKeyPrefixes) {
    if (!text.substr(at).starts_with(prefix)) continue;
    const std::size_t end = token_end(text, at);
    if (end - at >= kShortestKey) return end;
  }
  return at;
}

// The position after "bearer " when the text has that word here, in any case.
std::size_t bearer_end(std::string_view text, std::size_t at) {
  constexpr std::string_view kWord = "bearer ";
  return text.size() - at > kWord.size() && equal_ignoring_case(text.substr(at, kWord.size()), kWord) ? at + kWord.size() : at;
}

// For "://user:password@host": the position of the '@', or npos.
std::size_t credentials_end(std::string_view text, std::size_t authority) {
  const std::size_t end = std::min(text.find_first_of("/?# \t\n\"'", authority), text.size());
  const std::size_t at = text.substr(0, end).rfind('@');
  return at != std::string_view::npos && at >= authority ? at : std::string_view::npos;
}

}  // namespace

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    wipe();
    text_ = other.text_;
  }
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    text_ = other.text_;
    other.wipe();
  }
  return *this;
}

void Secret::wipe() noexcept {
  // Volatile writes survive optimisation although the buffer is about to be freed.
  volatile char* bytes = text_.data();
  for (std::size_t i = 0; i < text_.capacity(); ++i) bytes[i] = 0;
  text_.clear();
}

std::string redact(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    if (text.substr(i).starts_with("://")) {
      out += "://";
      i += 3;
      if (const auto at = credentials_end(text, i); at != std::string_view::npos) {
        out += kMask;
        i = at;
      }
    } else if (const auto token = bearer_end(text, i); token != i) {
      out += text.substr(i, token - i);
      out += kMask;
      i = token_end(text, token);
    } else if (const auto end = key_end(text, i); end != i) {
      out += kMask;
      i = end;
    } else {
      out += text[i++];
    }
  }
  return out;
}

}  // namespace puna
