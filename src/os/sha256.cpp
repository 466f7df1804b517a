#include "os/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "base/text.h"

namespace puna::os {
namespace {

constexpr std::size_t kChunk = 1 << 20;
constexpr std::size_t kHexDigits = 64;

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  working_ = context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1;
}

Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> bytes) {
  working_ = working_ && EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1;
}

void Sha256::update(std::string_view bytes) {
  update(std::as_bytes(std::span(bytes)));
}

Result<std::string> Sha256::hex() const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  const std::unique_ptr<evp_md_ctx_st, Free> copy(EVP_MD_CTX_new());
  if (!working_ || !copy || EVP_MD_CTX_copy_ex(copy.get(), context_.get()) != 1 ||
      EVP_DigestFinal_ex(copy.get(), digest.data(), &length) != 1)
    return fail(Code::internal, "OpenSSL cannot compute a SHA-256");
  return fmt::format("{:02x}", fmt::join(digest.begin(), digest.begin() + length, ""));
}

Result<std::string> sha256_of(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

Result<> hash_file(Sha256& hash, int descriptor, Bytes from, Bytes to, const std::stop_token& stop,
                   const std::function<void(Bytes)>& progress) {
  std::vector<std::byte> chunk(kChunk);
  for (Bytes at = from; at < to;) {
    if (stop.stop_requested()) return fail(Code::cancelled, "reading the file was cancelled");
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(chunk.size(), to.count - at.count));
    const ssize_t got = ::pread(descriptor, chunk.data(), wanted, static_cast<off_t>(at.count));
    if (got < 0) {
      if (errno == EINTR) continue;
      return fail(errno_error(errno, "cannot read the file"));
    }
    if (got == 0) return fail(Code::corrupt_data, fmt::format("the file ends after {} of {} bytes", at.count, to.count));
    hash.update(std::span(chunk).first(static_cast<std::size_t>(got)));
    at += Bytes(static_cast<std::uint64_t>(got));
    if (progress) progress(at);
  }
  return {};
}

Result<std::string> parse_sha256(std::string_view text) {
  std::string digits = lower_ascii(trim(text));
  if (digits.starts_with("sha256:")) digits.erase(0, 7);
  const bool hexadecimal = digits.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (digits.size() != kHexDigits || !hexadecimal)
    return fail(Code::invalid_argument, fmt::format("'{}' is no SHA-256: 64 hexadecimal digits are needed", printable(text)));
  return digits;
}

}  // namespace puna::os
