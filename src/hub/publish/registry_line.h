// Requests to a registry, which sign in when it asks for that.
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "hub/publish/cargo.h"
#include "hub/publish/courier.h"
#include "hub/publish/refusal.h"
#include "net/url.h"

namespace puna::hub::publish {

inline constexpr WaysIn kRegistryWaysIn{
    .unknown = "it does not accept the key in ~/.ollama/id_ed25519: add its public half to your account there",
    .forbidden = "the account that the key belongs to may not write there"};

// A stretch of a layer.
struct LayerPart {
  const CargoFile& file;
  Bytes from;
  Bytes size;
};

// For one push, on one thread. The token goes to the registry's origin alone. Redirects are answers like any other. Blocks; ends with
// Code::cancelled as soon as `stop` is requested.
class RegistryLine {
 public:
  RegistryLine(Courier& courier, net::Url registry, std::filesystem::path key_file, std::stop_token stop)
      : courier_(courier), registry_(std::move(registry)), key_file_(std::move(key_file)), stop_(std::move(stop)) {}

  [[nodiscard]] std::string host() const { return registry_.authority(); }
  // Empty while it wanted none.
  [[nodiscard]] const Secret& token() const { return token_; }
  // One that was given for the same repository before; it may have expired.
  void use(Secret token) { token_ = std::move(token); }
  // Code::unauthenticated when it wants a key and there is none that works.
  [[nodiscard]] Result<net::HttpResponse> ask(net::HttpRequest request);
  // With the part as its body; `sent` as for Courier::send.
  [[nodiscard]] Result<net::HttpResponse> send(net::HttpRequest request, const LayerPart& part, const std::function<void(Bytes)>& sent);

 private:
  using Go = std::function<Result<net::HttpResponse>(net::HttpRequest)>;
  Result<net::HttpResponse> exchange(net::HttpRequest request, const Go& go);
  Result<> sign_in(std::string_view challenge);

  Courier& courier_;
  const net::Url registry_;
  const std::filesystem::path key_file_;
  const std::stop_token stop_;
  Secret token_;
};

}  // namespace puna::hub::publish
