// Ollama's registry: a dialect of the Docker registry's protocol, version 2.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>

#include "base/settings_registry.h"
#include "base/text.h"
#include "hub/catalogues/registry.h"
#include "hub/catalogues/web.h"
#include "os/sha256.h"

namespace puna::hub {
namespace {

using wire::FileRole;

constexpr std::string_view kLatest = "latest";
constexpr std::string_view kManifestType = "application/vnd.docker.distribution.manifest.v2+json";
constexpr std::string_view kLayerPrefix = "application/vnd.ollama.image.";
constexpr Bytes kLargestManifest = mib(4);

struct LayerKind {
  std::string_view media;  // behind kLayerPrefix
  FileRole role;
  std::string_view path;  // what the file is called here
};
constexpr std::array kLayers = {
    LayerKind{"model", FileRole::weights, "model.gguf"},     LayerKind{"projector", FileRole::projector, "projector.gguf"},
    LayerKind{"adapter", FileRole::adapter, "adapter.gguf"}, LayerKind{"template", FileRole::chat_template, "template"},
    LayerKind{"system", FileRole::system, "system"},         LayerKind{"params", FileRole::parameters, "params"},
    LayerKind{"messages", FileRole::messages, "messages"},   LayerKind{"license", FileRole::licence, "LICENSE"},
};

Error refusal(const Question& question, const Endpoint& endpoint, const net::HttpResponse& response) {
  const std::string host = endpoint.url.authority();
  if (response.status == 404)
    return {Code::not_found, fmt::format("{}: {} has no such model or tag{}", question.what, host, request_id(response.headers))};
  if (response.status == 401 || response.status == 403)
    return {Code::permission_denied, fmt::format("{}: {} gives it only to those who sign in with a key of theirs{}", question.what, host,
                                                 request_id(response.headers))};
  if (response.status == 400 && said(response).empty())  // what Hugging Face's bridge says to a quantization that is not there
    return {Code::not_found, fmt::format("{}: {} has no such tag", question.what, host)};
  return usual_refusal(question, endpoint, response);
}

// The parameter of a challenge such as: Bearer realm="…",service="…",scope="…"
std::optional<std::string> challenge_part(std::string_view challenge, std::string_view name) {
  const std::string key = fmt::format("{}=\"", name);
  const auto at = challenge.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  const auto rest = challenge.substr(at + key.size());
  return std::string(rest.substr(0, rest.find('"')));
}

std::string numbered(std::string_view path, std::size_t number) {
  if (number == 1) return std::string(path);
  const auto dot = path.rfind('.');
  return dot == std::string_view::npos ? fmt::format("{}-{}", path, number)
                                       : fmt::format("{}-{}{}", path.substr(0, dot), number, path.substr(dot));
}

std::optional<ListedFile> file_of(const json::object& layer, std::map<std::string_view, std::size_t>& seen) {
  const std::string media = text_at(layer, "mediaType").value_or("");
  if (!media.starts_with(kLayerPrefix)) return std::nullopt;
  const auto kind = std::ranges::find(kLayers, std::string_view(media).substr(kLayerPrefix.size()), &LayerKind::media);
  auto digest = os::parse_sha256(text_at(layer, "digest").value_or(""));
  const auto size = integer_at(layer, "size");
  if (kind == kLayers.end() || !digest || !size || *size < 0) return std::nullopt;
  return ListedFile{.path = numbered(kind->path, ++seen[kind->media]),
                    .size = Bytes(static_cast<std::uint64_t>(*size)),
                    .digest = transfer::Digest{transfer::Algorithm::sha256, std::move(*digest)},
                    .role = kind->role};
}

class Ollama final : public Catalogue {
 public:
  explicit Ollama(const Access& access) : access_(access) {}

  net::Task<Result<wire::HubModel>> about(Reference reference) override {
    PUNA_CO_TRY(const auto pinned, co_await head(reference));
    wire::HubModel out{.about = {.catalogue = std::string(kOllama), .repository = reference.repository, .source = reference.text()},
                       .revision = pinned.revision,
                       .commit = pinned.commit};
    if (reference.host.empty()) out.page = fmt::format("https://ollama.com/{}:{}", reference.repository, pinned.revision);
    co_return out;
  }

  net::Task<Result<Head>> head(Reference reference) override {
    PUNA_CO_TRY(const auto text, co_await manifest(reference));
    PUNA_CO_TRY(auto digest, os::sha256_of(text));
    co_return Head{.repository = reference.repository, .revision = tag_of(reference), .commit = std::move(digest)};
  }

  net::Task<Result<Listing>> list(Reference reference) override {
    PUNA_CO_TRY(const auto text, co_await manifest(reference));
    auto parsed = json::parse_object(text);
    const auto* layers = parsed ? array_at(*parsed, "layers") : nullptr;
    if (!layers) co_return fail(Code::upstream_failed, fmt::format("{}: the answer is no manifest", reference.text()));
    PUNA_CO_TRY(auto digest, os::sha256_of(text));
    Listing out{.reference = reference, .revision = tag_of(reference), .commit = std::move(digest), .files = {}};
    std::map<std::string_view, std::size_t> seen;
    for (const auto& layer : *layers)
      if (layer.is_object())
        if (auto file = file_of(layer.get_object(), seen)) add_checked(out, std::move(*file));
    if (!seen.contains("model"))
      co_return fail(Code::unsupported,
                     fmt::format("{} has no GGUF file: it is kept in another format, or runs in Ollama's cloud only", reference.text()));
    co_return out;
  }

  net::Task<Result<transfer::Location>> locate(Listing listing, ListedFile file, std::size_t, Renew renew) override {
    PUNA_CO_TRY(auto endpoint, endpoint_of(listing.reference));
    // A registry that wanted a token for the manifest wants one for the files.
    if (renew == Renew::yes && knows_token(endpoint, listing.reference)) {
      forget_token(endpoint, listing.reference);
      PUNA_CO_CHECK(co_await manifest(listing.reference));
    }
    endpoint.token = token_for(endpoint, listing.reference);
    PUNA_CO_TRY(auto url, behind(endpoint.url, fmt::format("/v2/{}/blobs/sha256:{}", listing.reference.repository, file.digest->hex)));
    co_return transfer::Location{std::move(url), authorization(endpoint.token)};
  }

 private:
  static std::string tag_of(const Reference& reference) { return reference.revision.empty() ? std::string(kLatest) : reference.revision; }
  static std::string key_of(const Endpoint& endpoint, const Reference& reference) {
    return fmt::format("{} {}", endpoint.url.authority(), reference.repository);
  }

  Result<Endpoint> endpoint_of(const Reference& reference) const {
    if (reference.host.empty()) {
      PUNA_TRY(auto url, net::Url::parse(access_.settings.snapshot()->get(setting::kOllamaRegistry), "https"));
      return Endpoint{std::move(url), {}};
    }
    PUNA_TRY(auto url, net::Url::parse(reference.host, "https"));
    if (url.is_loopback()) url.scheme = "http";  // a registry on this machine has no certificate
    return Endpoint{std::move(url), {}};
  }

  Secret token_for(const Endpoint& endpoint, const Reference& reference) {
    const std::lock_guard lock(mutex_);
    const auto found = tokens_.find(key_of(endpoint, reference));
    return found == tokens_.end() ? Secret() : found->second;
  }
  bool knows_token(const Endpoint& endpoint, const Reference& reference) { return !token_for(endpoint, reference).empty(); }
  void forget_token(const Endpoint& endpoint, const Reference& reference) {
    const std::lock_guard lock(mutex_);
    tokens_.erase(key_of(endpoint, reference));
  }

  net::Task<Result<std::string>> manifest(Reference reference) {
    PUNA_CO_TRY(auto endpoint, endpoint_of(reference));
    endpoint.token = token_for(endpoint, reference);
    std::string challenge;
    const Question question{.what = reference.text(),
                            .target = fmt::format("/v2/{}/manifests/{}", reference.repository, net::percent_encode(tag_of(reference))),
                            .headers = {{"Accept", kManifestType}},
                            .limit = kLargestManifest};
    const Refusal noting = [&challenge](const Question& asked, const Endpoint& at, const net::HttpResponse& response) {
      if (response.status == 401) challenge = response.headers.get("WWW-Authenticate").value_or("");
      return refusal(asked, at, response);
    };
    auto answer = co_await ask(access_, {endpoint}, question, noting);
    if (!answer && !challenge.empty()) {
      PUNA_CO_TRY(endpoint.token, co_await fetch_token(reference, endpoint, challenge));
      answer = co_await ask(access_, {endpoint}, question, refusal);
    }
    if (!answer) co_return fail(std::move(answer).error());
    co_return std::move(answer->response.body);
  }

  // As a stranger: nothing of ours is sent. Still only to the registry's own host, so that a registry cannot make us call others.
  net::Task<Result<Secret>> fetch_token(Reference reference, Endpoint endpoint, std::string challenge) {
    PUNA_CO_TRY(const auto realm, endpoint.url.resolve(challenge_part(challenge, "realm").value_or("")));
    if (!challenge.starts_with("Bearer ") || lower_ascii(realm.host) != lower_ascii(endpoint.url.host) ||
        realm.scheme != endpoint.url.scheme)
      co_return fail(Code::permission_denied, fmt::format("{}: {} sends us to {} for a token: refused, as that is another host",
                                                          reference.text(), endpoint.url.authority(), realm.printable()));
    net::Query parameters = net::Query::parse(realm.query.value_or(""));
    for (const std::string_view name : {"service", "scope"})
      if (auto value = challenge_part(challenge, name)) parameters.add(std::string(name), std::move(*value));
    Endpoint at{.url = realm, .token = {}};
    at.url.path.clear();
    at.url.query.reset();
    Question question{.what = reference.text(), .target = fmt::format("{}?{}", realm.path, parameters.text())};
    PUNA_CO_TRY(const auto answer, co_await ask_json(access_, {at}, std::move(question), refusal));
    const auto token = answer.body.is_object() ? text_at(answer.body.get_object(), "token") : std::nullopt;
    if (!token || token->empty() || !net::is_header_value(*token))
      co_return fail(Code::upstream_failed, fmt::format("{}: {} gives no token", reference.text(), realm.authority()));
    const std::lock_guard lock(mutex_);
    co_return tokens_[key_of(endpoint, reference)] = Secret(*token);
  }

  Access access_;
  std::mutex mutex_;                      // guards tokens_
  std::map<std::string, Secret> tokens_;  // by registry and repository
};

}  // namespace

constinit const CatalogueSpec kOllamaCatalogue = {
    .name = kOllama,
    .title = "Ollama's registry",
    .form = "ollama://[HOST/]NAME[:TAG]",
    .searches = false,
    .make = [](const Access& access) -> std::unique_ptr<Catalogue> { return std::make_unique<Ollama>(access); }};

}  // namespace puna::hub
