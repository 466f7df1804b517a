// A file that an HTTP server gives to whoever knows its URL.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <system_error>

#include "base/settings_registry.h"
#include "base/text.h"
#include "hub/http_download.h"
#include "hub/sha256.h"
#include "hub/sources/registry.h"

namespace puna::hub {
namespace {

constexpr std::size_t kKeyDigits = 32;

// Parameters that open a door for whoever has them: signatures of storage hosts, and tokens.
constexpr std::array<std::string_view, 13> kSecretParameters = {"access_token", "api_key",  "apikey", "auth_token", "expires",
                                                                "key-pair-id",  "password", "policy", "secret",     "sig",
                                                                "signature",    "token",    "__sign"};

bool is_secret_parameter(std::string_view parameter) {
  const std::string name = lower_ascii(parameter.substr(0, parameter.find('=')));
  return name.starts_with("x-amz-") || name.starts_with("x-goog-") || std::ranges::find(kSecretParameters, name) != kSecretParameters.end();
}

net::Url without_secrets(const net::Url& url) {
  net::Url out = url.without_credentials();
  out.fragment.reset();
  if (!out.query) return out;
  std::vector<std::string> kept;
  for (const auto parameter : split(*out.query, '&'))
    if (!is_secret_parameter(parameter)) kept.emplace_back(parameter);
  out.query = kept.empty() ? std::nullopt : std::optional(join(kept, "&"));
  return out;
}

bool accepts(std::string_view source) {
  const std::string beginning = lower_ascii(source.substr(0, 8));
  return beginning.starts_with("http://") || beginning.starts_with("https://");
}

Result<Origin> resolve(std::string_view source) {
  PUNA_TRY(const auto url, net::Url::parse(source));
  const auto plain = without_secrets(url);
  const auto name = url.path.substr(url.path.rfind('/') + 1);
  Origin out{
      .source = plain.text(), .shown = plain.printable(), .file_name = net::percent_decode(name).value_or(name), .secret_source = {}};
  auto whole = url;
  whole.fragment.reset();
  if (whole.text() != out.source) out.secret_source = Secret(whole.text());
  return out;
}

Result<> require_network(const net::Url& url, const Settings& settings) {
  if (!settings.get(setting::kOffline) || url.is_loopback()) return {};
  return fail(Code::unavailable, fmt::format("{} is on another machine, and the setting {} is on: switch it off, or pull a local file",
                                             url.host, setting::kOffline.key));
}

Result<> make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  if (!std::filesystem::create_directories(folder, error) || error) {
    if (error) return fail(errno_error(error.value(), fmt::format("cannot create {}", folder.string())));
    return {};
  }
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  if (error) return fail(errno_error(error.value(), fmt::format("cannot set the mode of {}", folder.string())));
  return {};
}

class UrlDelivery final : public Delivery {
 public:
  UrlDelivery(PartFile part, std::string sha256) : Delivery(part.path(), std::move(sha256), part.received()), part_(std::move(part)) {}

  // Nobody else writes to a locked part.
  Result<> confirm() const override { return {}; }
  Result<> accepted() override { return part_.leave_receipt(); }
  Result<> rejected() override { return part_.discard(); }

 private:
  PartFile part_;
};

Result<Opened> open(const Origin& origin, const Fetch& fetch) {
  PUNA_TRY(const auto url, net::Url::parse(origin.secret_source.empty() ? origin.source : origin.secret_source.reveal()));
  PUNA_CHECK(require_network(url, *fetch.settings.snapshot()));
  PUNA_CHECK(make_folder(fetch.downloads));
  PUNA_TRY(const auto key, sha256_of(origin.source));
  PUNA_TRY(auto part, PartFile::open(fetch.downloads, std::string_view(key).substr(0, kKeyDigits), fetch.checkpoints));
  PUNA_CHECK(part.recover(fetch.stop, [&](Bytes done, Bytes present) { fetch.progress("resuming", done, present); }));

  HttpDownload download(url, fetch, part);
  auto outcome = download.run();
  if (!outcome) {
    // An empty file would only lie around.
    if (part.received() == Bytes(0)) PUNA_CHECK(part.receipt() ? part.discard_bytes() : part.discard());
    return fail(std::move(outcome).error());
  }
  if (const auto& receipt = part.receipt(); receipt && *outcome == HttpDownload::Outcome::unchanged) {
    PUNA_CHECK(part.discard_bytes());
    return Held{receipt->sha256};
  }
  PUNA_CHECK(part.checkpoint());
  PUNA_TRY(auto digest, part.sha256());
  return std::make_unique<UrlDelivery>(std::move(part), std::move(digest));
}

}  // namespace

constinit const SourceSpec kUrlSource = {
    .name = "url", .form = "the URL of a GGUF file (http or https)", .accepts = accepts, .resolve = resolve, .open = open};

}  // namespace puna::hub
