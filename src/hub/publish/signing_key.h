// The key that signs in to Ollama's registry: the one that Ollama's own program keeps.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"
#include "os/environment.h"

namespace puna::hub::publish {

// A value. The file is OpenSSH's kind of private key:
// https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key
class SigningKey {
 public:
  // <HOME>/.ollama/id_ed25519; empty without a HOME.
  [[nodiscard]] static std::filesystem::path usual_place(const os::Environment& environment);
  // Code::unauthenticated says what is missing: the file, the right to read it, or a key without a passphrase.
  [[nodiscard]] static Result<SigningKey> load(const std::filesystem::path& file);

  // What the registry wants as Authorization for a request without a body: "<public key>:<signature over method, URL and digest>".
  [[nodiscard]] Result<std::string> authorization(std::string_view method, std::string_view url) const;

 private:
  SigningKey(Secret seed, std::string public_blob) : seed_(std::move(seed)), public_blob_(std::move(public_blob)) {}

  Secret seed_;              // 32 bytes
  std::string public_blob_;  // in SSH's wire format
};

}  // namespace puna::hub::publish
