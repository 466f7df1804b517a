// A file that an HTTP server gives to whoever knows its URL.
#include <fmt/format.h>

#include <charconv>

#include "base/settings_registry.h"
#include "base/text.h"
#include "hub/catalogues/registry.h"
#include "hub/catalogues/web.h"
#include "os/sha256.h"

namespace puna::hub {
namespace {

struct Beginning {
  std::optional<Bytes> size;
  std::optional<std::string> version;  // what the server says of its content: an ETag, else a date
};

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t out = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), out);
  return end.ec == std::errc() && end.ptr == text.data() + text.size() ? std::optional(out) : std::nullopt;
}

Beginning read_headers(int status, const net::Headers& headers) {
  Beginning out;
  constexpr int kPartial = 206;
  const auto range = headers.get("Content-Range").value_or("");
  const auto size = number_in(status == kPartial ? range.substr(range.find('/') + 1) : headers.get("Content-Length").value_or(""));
  if (size) out.size = Bytes(*size);
  const auto version = headers.get("ETag").or_else([&] { return headers.get("Last-Modified"); });
  if (version && !version->starts_with("W/")) out.version = printable(*version);
  return out;
}

std::string file_name(const net::Url& url) {
  const auto name = url.path.substr(url.path.rfind('/') + 1);
  return net::percent_decode(name).value_or(name);
}

Error refusal(const net::Url& url, int status, const net::Headers& headers) {
  const std::string shown = url.printable();
  if (status == 404 || status == 410) return {Code::not_found, fmt::format("there is no {}", shown)};
  if (status == 401) return {Code::unauthenticated, fmt::format("{} wants a user and a password: write them into the URL", shown)};
  if (status == 403) return {Code::permission_denied, fmt::format("{} is refused; a signed link may have expired", shown)};
  return net::status_error(shown, {.status = status, .headers = headers, .body = {}});
}

class UrlFiles final : public Catalogue {
 public:
  explicit UrlFiles(const Access& access) : access_(access) {}

  net::Task<Result<wire::HubModel>> about(Reference reference) override {
    PUNA_CO_TRY(const auto pinned, co_await head(reference));
    co_return wire::HubModel{.about = {.catalogue = std::string(kUrl), .repository = reference.place, .source = reference.place},
                             .revision = {},
                             .commit = pinned.commit};
  }
  net::Task<Result<Head>> head(Reference reference) override {
    PUNA_CO_TRY(const auto beginning, co_await look(reference));
    co_return Head{.repository = reference.place, .revision = {}, .commit = beginning.version.value_or("")};
  }
  net::Task<Result<Listing>> list(Reference reference) override {
    PUNA_CO_TRY(const auto beginning, co_await look(reference));
    PUNA_CO_TRY(const auto url, url_of(reference));
    Listing out{.reference = std::move(reference), .revision = {}, .commit = beginning.version.value_or(""), .files = {}};
    const auto name = file_name(url);
    auto file = ListedFile{.path = lower_ascii(name).ends_with(".gguf") ? name : "model.gguf",
                           .size = beginning.size,
                           .digest = {},
                           .role = wire::FileRole::weights};
    add_checked(out, std::move(file));
    if (out.files.empty()) co_return fail(Code::invalid_argument, fmt::format("{}: the file's name is not safe to use", url.printable()));
    co_return out;
  }
  net::Task<Result<transfer::Location>> locate(Listing listing, ListedFile, std::size_t, Renew) override {
    PUNA_CO_TRY(auto url, url_of(listing.reference));
    co_return transfer::Location{std::move(url), {}};
  }

 private:
  static Result<net::Url> url_of(const Reference& reference) {
    return net::Url::parse(reference.secret_place.empty() ? std::string_view(reference.place) : reference.secret_place.reveal());
  }

  // Size and version without the content: servers that know no HEAD know this.
  net::Task<Result<Beginning>> look(Reference reference) {
    PUNA_CO_TRY(auto url, url_of(reference));
    const auto settings = access_.settings.snapshot();
    net::HttpRequest request;
    request.url = url;
    request.headers = {{"Range", "bytes=0-0"}, {"Accept-Encoding", "identity"}};
    request.deadlines = {.connect = settings->get(setting::kConnectDeadline),
                         .first_byte = settings->get(setting::kFirstByteDeadline),
                         .idle = settings->get(setting::kIdleDeadline)};
    request.retry = {.attempts = static_cast<int>(settings->get(setting::kRetryAttempts)),
                     .base = settings->get(setting::kRetryBase),
                     .factor = settings->get(setting::kRetryFactor),
                     .cap = settings->get(setting::kRetryCap),
                     .jitter = settings->get(setting::kRetryJitter)};
    PUNA_CO_TRY(const auto stream, co_await access_.http.open(std::move(request)));
    constexpr int kNotSatisfiable = 416;  // of an empty file
    if (stream.status() == kNotSatisfiable) co_return fail(Code::corrupt_data, fmt::format("{} is empty", url.printable()));
    if (stream.status() < 200 || stream.status() >= 300) co_return fail(refusal(url, stream.status(), stream.headers()));
    co_return read_headers(stream.status(), stream.headers());
  }

  Access access_;
};

}  // namespace

constinit const CatalogueSpec kUrlCatalogue = {
    .name = kUrl,
    .title = "the web",
    .form = "https://HOST/…/MODEL.gguf",
    .searches = false,
    .make = [](const Access& access) -> std::unique_ptr<Catalogue> { return std::make_unique<UrlFiles>(access); }};

}  // namespace puna::hub
