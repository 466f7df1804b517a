#include "hub/transfer/digester.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

namespace puna::hub::transfer {
namespace {

Result<std::string> hex_of(const evp_md_ctx_st* context) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_MD_CTX* ending = EVP_MD_CTX_new();
  const bool done = ending && EVP_MD_CTX_copy_ex(ending, context) == 1 && EVP_DigestFinal_ex(ending, digest.data(), &length) == 1;
  EVP_MD_CTX_free(ending);
  if (!done) return fail(Code::internal, "OpenSSL cannot compute a digest");
  return fmt::format("{:02x}", fmt::join(digest.begin(), digest.begin() + length, ""));
}

}  // namespace

void Digester::Free::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

Digester::Digester(Algorithm wanted, Bytes size) : sha256_(EVP_MD_CTX_new()) {
  working_ = sha256_ && EVP_DigestInit_ex(sha256_.get(), EVP_sha256(), nullptr) == 1;
  if (wanted != Algorithm::git_sha1) return;
  git_.reset(EVP_MD_CTX_new());
  const auto head = fmt::format("blob {}", size.count);
  working_ = working_ && git_ && EVP_DigestInit_ex(git_.get(), EVP_sha1(), nullptr) == 1 &&
             EVP_DigestUpdate(git_.get(), head.c_str(), head.size() + 1) == 1;
}

Digester::Context Digester::copy(const Context& context) {
  if (!context) return nullptr;
  Context out(EVP_MD_CTX_new());
  if (out && EVP_MD_CTX_copy_ex(out.get(), context.get()) != 1) out.reset();
  return out;
}

Digester::Digester(const Digester& other) : sha256_(copy(other.sha256_)), git_(copy(other.git_)) {
  working_ = other.working_ && sha256_ && (git_ || !other.git_);
}

Digester& Digester::operator=(const Digester& other) {
  if (this != &other) *this = Digester(other);
  return *this;
}

Digester::Digester(Digester&&) noexcept = default;
Digester& Digester::operator=(Digester&&) noexcept = default;
Digester::~Digester() = default;

void Digester::update(std::span<const std::byte> bytes) {
  working_ = working_ && EVP_DigestUpdate(sha256_.get(), bytes.data(), bytes.size()) == 1;
  if (git_) working_ = working_ && EVP_DigestUpdate(git_.get(), bytes.data(), bytes.size()) == 1;
}

Result<Digester::Found> Digester::found() const {
  if (!working_) return fail(Code::internal, "OpenSSL cannot compute a digest");
  Found out;
  PUNA_TRY(out.sha256, hex_of(sha256_.get()));
  out.wanted = out.sha256;
  if (git_) {
    PUNA_TRY(out.wanted, hex_of(git_.get()));
  }
  return out;
}

}  // namespace puna::hub::transfer
