// Text that must not be seen: it cannot be printed, logged or encoded by accident, and is wiped when it goes.
#pragma once

#include <string>
#include <string_view>

namespace puna {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : text_(other.text_) { other.wipe(); }
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() { wipe(); }

  // The one way to the text; every use is easy to find.
  [[nodiscard]] std::string_view reveal() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }

 private:
  void wipe() noexcept;
  std::string text_;
};

// Replaces what looks like a credential in text bound for a log or a screen: user:password@ in URLs, bearer tokens, and keys with the
// prefixes that providers use (hf_, sk-, gsk_, xai-, AIza, ghp_, puna_). A second line of defence behind Secret.
[[nodiscard]] std::string redact(std::string_view text);

}  // namespace puna
