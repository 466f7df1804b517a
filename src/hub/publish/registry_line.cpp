#include "hub/publish/registry_line.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <array>
#include <chrono>

#include "base/json.h"
#include "hub/catalogues/ollama_registry.h"
#include "hub/catalogues/web.h"
#include "hub/publish/encoding.h"
#include "hub/publish/signing_key.h"

namespace puna::hub::publish {
namespace {

Result<std::string> make_nonce() {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return fail(Code::internal, "OpenSSL gives no random bytes");
  return base64({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace

Result<net::HttpResponse> RegistryLine::ask(net::HttpRequest request) {
  return exchange(std::move(request), [this](net::HttpRequest attempt) { return courier_.ask(std::move(attempt), stop_); });
}

Result<net::HttpResponse> RegistryLine::send(net::HttpRequest request, const LayerPart& part, const std::function<void(Bytes)>& sent) {
  if (!request.headers.contains("Content-Type")) request.headers.set("Content-Type", "application/octet-stream");
  return exchange(std::move(request), [&](net::HttpRequest attempt) -> Result<net::HttpResponse> {
    if (!part.file.place.empty()) return courier_.send(std::move(attempt), {part.file.place, part.from, part.size}, sent, stop_);
    attempt.body = part.file.text.substr(part.from.count, part.size.count);
    return courier_.ask(std::move(attempt), stop_);
  });
}

Result<net::HttpResponse> RegistryLine::exchange(net::HttpRequest request, const Go& go) {
  request.follow_redirects = false;
  const bool to_registry = request.url.same_origin(registry_);
  for (bool signed_in = false;; signed_in = true) {
    auto attempt = request;
    if (to_registry && !token_.empty()) attempt.headers.set("Authorization", fmt::format("Bearer {}", token_.reveal()));
    PUNA_TRY(auto response, go(std::move(attempt)));
    const auto challenge = response.headers.get("WWW-Authenticate");
    if (response.status != 401 || !to_registry || signed_in || !challenge) return response;
    PUNA_CHECK(sign_in(*challenge));
  }
}

// As https://github.com/ollama/ollama/blob/main/server/auth.go does it.
Result<> RegistryLine::sign_in(std::string_view challenge) {
  PUNA_TRY(auto url, token_address(registry_, challenge));
  PUNA_TRY(const auto key, SigningKey::load(key_file_));
  PUNA_TRY(auto nonce, make_nonce());
  auto query = net::Query::parse(url.query.value_or(""));
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  query.add("ts", std::to_string(std::chrono::duration_cast<Seconds>(now).count()));
  query.add("nonce", std::move(nonce));
  url.query = query.text();
  net::HttpRequest request{.url = url, .follow_redirects = false};
  PUNA_TRY(auto signature, key.authorization(request.method, url.text()));
  request.headers.set("Authorization", std::move(signature));
  PUNA_TRY(const auto response, courier_.ask(std::move(request), stop_));
  if (!is_success(response)) return fail(refusal_of("signing in", host(), response, kRegistryWaysIn));
  const auto body = json::parse_object(response.body);
  const auto token = body ? text_at(*body, "token").value_or("") : "";
  if (token.empty() || !net::is_header_value(token)) return fail(Code::upstream_failed, fmt::format("{} gives no token", host()));
  token_ = Secret(token);
  return {};
}

}  // namespace puna::hub::publish
