#include "hub/publish/encoding.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>

#include "os/file.h"

namespace puna::hub::publish {

std::string base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

std::string git_blob_sha1(std::string_view content) {
  std::string blob = fmt::format("blob {}", content.size());
  blob += '\0';
  blob += content;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (EVP_Digest(blob.data(), blob.size(), digest.data(), &length, EVP_sha1(), nullptr) != 1) return {};
  std::string out;
  for (unsigned i = 0; i < length; ++i) out += fmt::format("{:02x}", digest[i]);
  return out;
}

Result<std::string> beginning_of(const CargoFile& file, std::size_t most) {
  if (file.place.empty()) return file.text.substr(0, most);
  PUNA_TRY(const auto opened, os::open_regular_file(file.place));
  std::string out(most, '\0');
  const ssize_t got = ::pread(opened.get(), out.data(), out.size(), 0);
  if (got < 0) return fail(errno_error(errno, fmt::format("cannot read {}", file.place.string())));
  out.resize(static_cast<std::size_t>(got));
  return out;
}

}  // namespace puna::hub::publish
