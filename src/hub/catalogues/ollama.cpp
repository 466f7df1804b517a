// Ollama's registry: a dialect of the Docker registry's protocol, version 2.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "base/text.h"
#include "hub/catalogues/ollama_registry.h"
#include "hub/catalogues/registry.h"
#include "hub/catalogues/web.h"
#include "os/sha256.h"

namespace puna::hub {
namespace {

constexpr Bytes kLargestManifest = mib(4);

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

std::string numbered(std::string_view path, std::size_t number) {
  if (number == 1) return std::string(path);
  const auto dot = path.rfind('.');
  return dot == std::string_view::npos ? fmt::format("{}-{}", path, number)
                                       : fmt::format("{}-{}{}", path.substr(0, dot), number, path.substr(dot));
}

std::optional<ListedFile> file_of(const json::object& layer, std::map<std::string_view, std::size_t>& seen) {
  const std::string media = text_at(layer, "mediaType").value_or("");
  if (!media.starts_with(kLayerPrefix)) return std::nullopt;
  const auto kinds = layer_kinds();
  const auto kind = std::ranges::find(kinds, std::string_view(media).substr(kLayerPrefix.size()), &LayerKind::media);
  auto digest = os::parse_sha256(text_at(layer, "digest").value_or(""));
  const auto size = integer_at(layer, "size");
  if (kind == kinds.end() || !digest || !size || *size < 0) return std::nullopt;
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
  static std::string key_of(const Endpoint& endpoint, const Reference& reference) {
    return fmt::format("{} {}", endpoint.url.authority(), reference.repository);
  }

  Result<Endpoint> endpoint_of(const Reference& reference) const {
    PUNA_TRY(auto url, registry_of(*access_.settings.snapshot(), reference));
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

  // As a stranger: nothing of ours is sent.
  net::Task<Result<Secret>> fetch_token(Reference reference, Endpoint endpoint, std::string challenge) {
    auto realm = token_address(endpoint.url, challenge);
    if (!realm) co_return fail(std::move(realm).error().within(reference.text()));
    Endpoint at{.url = *realm, .token = {}};
    at.url.path.clear();
    at.url.query.reset();
    Question question{.what = reference.text(), .target = realm->target()};
    PUNA_CO_TRY(const auto answer, co_await ask_json(access_, {at}, std::move(question), refusal));
    const auto token = answer.body.is_object() ? text_at(answer.body.get_object(), "token") : std::nullopt;
    if (!token || token->empty() || !net::is_header_value(*token))
      co_return fail(Code::upstream_failed, fmt::format("{}: {} gives no token", reference.text(), realm->authority()));
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
