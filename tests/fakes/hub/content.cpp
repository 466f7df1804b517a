#include "fakes/hub/content.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace puna::fakes {
namespace {

constexpr std::uint64_t kBlock = 64 * 1024;
constexpr std::size_t kHashed = 1024 * 1024;

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

class Hash {
 public:
  explicit Hash(const char* algorithm) : context_(EVP_MD_CTX_new()) {
    EVP_DigestInit_ex(context_.get(), EVP_get_digestbyname(algorithm), nullptr);
  }
  void update(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  [[nodiscard]] std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned int length = 0;
    EVP_DigestFinal_ex(context_.get(), bytes.data(), &length);
    return fmt::format("{:02x}", fmt::join(bytes.begin(), bytes.begin() + length, ""));
  }

 private:
  std::unique_ptr<EVP_MD_CTX, FreeContext> context_;
};

}  // namespace

std::uint64_t mix(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t z = seed * 0x9e3779b97f4a7c15ULL + (index + 1) * 0xd1b54a32d192ed03ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

std::string sha256_of(std::string_view bytes) {
  Hash hash("SHA256");
  hash.update(bytes);
  return hash.hex();
}

std::string sha1_of(std::string_view bytes) {
  Hash hash("SHA1");
  hash.update(bytes);
  return hash.hex();
}

Content::Ptr Content::of(std::string bytes) {
  std::shared_ptr<Content> out(new Content);
  out->size_ = bytes.size();
  out->head_ = std::move(bytes);
  return out;
}

Result<Content::Ptr> Content::on_disk(const std::filesystem::path& file) {
  std::shared_ptr<Content> out(new Content);
  out->file_.reset(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat found{};
  if (!out->file_ || ::fstat(out->file_.get(), &found) != 0) return fail(errno_error(errno, file.string()));
  out->size_ = static_cast<std::uint64_t>(found.st_size);
  return out;
}

Content::Ptr Content::generated(std::uint64_t size, std::uint64_t seed, std::string head) {
  std::shared_ptr<Content> out(new Content);
  out->size_ = size;
  out->seed_ = seed;
  out->head_ = head.substr(0, size);
  out->block_.resize(kBlock);
  for (std::uint64_t i = 0; i < kBlock / 8; ++i) {
    const auto word = mix(seed, ~i);
    std::memcpy(out->block_.data() + i * 8, &word, 8);
  }
  return out;
}

void Content::read(std::uint64_t offset, std::span<char> into) const {
  if (offset < head_.size()) {
    const auto length = std::min<std::uint64_t>(into.size(), head_.size() - offset);
    std::memcpy(into.data(), head_.data() + offset, length);
    offset += length;
    into = into.subspan(length);
  }
  if (file_) {
    while (!into.empty()) {
      const auto length = ::pread(file_.get(), into.data(), into.size(), static_cast<off_t>(offset));
      if (length <= 0) return;
      offset += static_cast<std::uint64_t>(length);
      into = into.subspan(static_cast<std::size_t>(length));
    }
    return;
  }
  while (!into.empty()) {
    const auto index = offset / kBlock;
    const auto within = offset % kBlock;
    const auto length = std::min<std::uint64_t>(into.size(), kBlock - within);
    std::memcpy(into.data(), block_.data() + within, length);
    // The first eight bytes of a block make it unlike every other.
    const auto mark = mix(seed_, index);
    if (within < 8) std::memcpy(into.data(), reinterpret_cast<const char*>(&mark) + within, std::min<std::uint64_t>(length, 8 - within));
    offset += length;
    into = into.subspan(length);
  }
}

std::string Content::text(std::uint64_t offset, std::uint64_t length) const {
  if (offset >= size_) return {};
  std::string out(std::min(length, size_ - offset), '\0');
  read(offset, out);
  return out;
}

std::string Content::digest(const char* algorithm, std::string_view before) const {
  Hash hash(algorithm);
  hash.update(before);
  std::vector<char> buffer(std::min<std::uint64_t>(size_, kHashed));
  for (std::uint64_t offset = 0; offset < size_;) {
    const auto length = std::min<std::uint64_t>(buffer.size(), size_ - offset);
    read(offset, std::span(buffer).first(length));
    hash.update({buffer.data(), length});
    offset += length;
  }
  return hash.hex();
}

const std::string& Content::sha256() const {
  std::call_once(sha256_once_, [this] { sha256_ = digest("SHA256", ""); });
  return sha256_;
}

const std::string& Content::git_sha1() const {
  std::call_once(sha1_once_, [this] { sha1_ = digest("SHA1", std::string("blob ") + std::to_string(size_) + std::string(1, '\0')); });
  return sha1_;
}

}  // namespace puna::fakes
