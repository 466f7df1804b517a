#include "hub/publish/signing_key.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <memory>
#include <optional>

#include "hub/publish/encoding.h"
#include "os/file.h"
#include "os/sha256.h"

namespace puna::hub::publish {
namespace {

constexpr Bytes kLargestFile = kib(16);
constexpr std::string_view kBegin = "-----BEGIN OPENSSH PRIVATE KEY-----";
constexpr std::string_view kEnd = "-----END OPENSSH PRIVATE KEY-----";
constexpr std::string_view kMagic{"openssh-key-v1\0", 15};
constexpr std::string_view kType = "ssh-ed25519";
constexpr std::size_t kSeed = 32;
constexpr std::size_t kSignature = 64;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

// The bytes between the two lines; nothing when it is no such file.
std::optional<Secret> unarmoured(std::string_view text) {
  const auto begin = text.find(kBegin);
  const auto end = text.find(kEnd);
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return std::nullopt;
  std::string letters;
  letters.reserve(text.size());
  for (const char c : text.substr(begin + kBegin.size(), end - begin - kBegin.size()))
    if (c != '\n' && c != '\r' && c != ' ') letters += c;
  const Secret armoured(std::move(letters));
  const auto in = armoured.reveal();
  std::string out(in.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(in.data()),
                                     static_cast<int>(in.size()));
  if (length < 0) return std::nullopt;
  return Secret(std::move(out));  // up to two zeros more than the key has, behind it
}

// Takes fields off the front, as SSH writes them. Once something is missing, everything is empty.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}
  std::uint32_t number() {
    const auto bytes = take(4);
    std::uint32_t out = 0;
    for (const char c : bytes) out = out << 8 | static_cast<unsigned char>(c);
    return out;
  }
  std::string_view text() { return take(number()); }
  std::string_view take(std::size_t count) {
    if (rest_.size() < count) rest_ = {}, count = 0;
    const auto out = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return out;
  }

 private:
  std::string_view rest_;
};

std::unexpected<Error> unusable(const std::filesystem::path& file, std::string_view why) {
  return fail(Code::unauthenticated,
              fmt::format("the registry wants who pushes to sign in with a key, and {} {}; `ssh-keygen -t ed25519 -N \"\" -f FILE` makes "
                          "one, and its public half belongs into your account there (https://ollama.com/settings/keys)",
                          file.string(), why));
}

}  // namespace

std::filesystem::path SigningKey::usual_place(const os::Environment& environment) {
  const auto home = environment.find("HOME");
  return home == environment.end() || home->second.empty() ? std::filesystem::path()
                                                           : std::filesystem::path(home->second) / ".ollama" / "id_ed25519";
}

Result<SigningKey> SigningKey::load(const std::filesystem::path& file) {
  if (file.empty()) return unusable("~/.ollama/id_ed25519", "cannot be found without a HOME");
  auto read = os::read_file(file, kLargestFile);
  if (!read) return unusable(file, read.error().code == Code::not_found ? "is not there" : "cannot be read: " + read.error().message);
  const Secret text(std::move(*read));
  const auto bytes = unarmoured(text.reveal());
  if (!bytes) return unusable(file, "is no private key of OpenSSH");
  Fields fields(bytes->reveal());
  if (fields.take(kMagic.size()) != kMagic) return unusable(file, "is no private key of OpenSSH");
  const bool open = fields.text() == "none";
  if (!open) return unusable(file, "is locked with a passphrase");
  fields.text();  // how the passphrase is stretched, twice nothing
  fields.text();
  const bool one = fields.number() == 1;
  std::string public_blob(fields.text());
  Fields inner(fields.text());
  const bool intact = inner.number() == inner.number();  // what a wrong passphrase would spoil
  const bool ed25519 = inner.text() == kType;
  inner.text();
  const auto both = inner.text();  // seed and public key
  if (!one || !intact || !ed25519 || both.size() != 2 * kSeed) return unusable(file, "is not one key of the kind ed25519");
  return SigningKey(Secret(std::string(both.substr(0, kSeed))), std::move(public_blob));
}

Result<std::string> SigningKey::authorization(std::string_view method, std::string_view url) const {
  PUNA_TRY(const auto nothing, os::sha256_of(""));
  const auto message = fmt::format("{},{},{}", method, url, base64(nothing));
  const Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(seed_.reveal().data()),
                                             seed_.reveal().size()),
                EVP_PKEY_free);
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::array<unsigned char, kSignature> signature{};
  std::size_t length = signature.size();
  if (!key || !context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &length, reinterpret_cast<const unsigned char*>(message.data()), message.size()) != 1)
    return fail(Code::internal, "OpenSSL cannot sign with an ed25519 key");
  return fmt::format("{}:{}", base64(public_blob_), base64({reinterpret_cast<const char*>(signature.data()), length}));
}

}  // namespace puna::hub::publish
