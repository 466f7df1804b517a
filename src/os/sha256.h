// SHA-256 of bytes as they pass.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/units.h"

struct evp_md_ctx_st;

namespace puna::os {

class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void update(std::span<const std::byte> bytes);
  void update(std::string_view bytes);
  // 64 hexadecimal digits, of what came so far; more may follow. Fails only when OpenSSL does.
  [[nodiscard]] Result<std::string> hex() const;

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
  bool working_ = false;  // no call of OpenSSL has failed
};

[[nodiscard]] Result<std::string> sha256_of(std::string_view bytes);

// Adds the bytes of an open file between two offsets. Stops within one chunk: Code::cancelled. Code::corrupt_data when the file is shorter.
[[nodiscard]] Result<> hash_file(Sha256& hash, int descriptor, Bytes from, Bytes to, const std::stop_token& stop,
                                 const std::function<void(Bytes at)>& progress = {});

// A digest as people write it ("sha256:" before it, upper case) as 64 lower-case digits.
[[nodiscard]] Result<std::string> parse_sha256(std::string_view text);

}  // namespace puna::os
