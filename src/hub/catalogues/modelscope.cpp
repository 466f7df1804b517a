// ModelScope: much of what Hugging Face has, reachable where that is not. Its errors may come with status 200.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/settings_registry.h"
#include "base/text.h"
#include "hub/catalogues/registry.h"
#include "hub/catalogues/web.h"
#include "os/sha256.h"

namespace puna::hub {
namespace {

constexpr std::string_view kMasterBranch = "master";
constexpr std::size_t kLargestPage = 50;
constexpr std::size_t kMostResults = 3000;  // page size times page number, as the service bounds it

Error refusal(const Question& question, const Endpoint& endpoint, const net::HttpResponse& response) {
  if (response.status == 404) {
    const std::string words = said(response);
    return {Code::not_found, fmt::format("{}: {} has no such repository, revision or file{}{}", question.what, endpoint.url.authority(),
                                         words.empty() ? "" : ": " + words, request_id(response.headers))};
  }
  if (response.status == 401 || response.status == 403)
    return {Code::permission_denied, fmt::format("{}: {} refuses access; set hub.modelscope_token{}", question.what,
                                                 endpoint.url.authority(), request_id(response.headers))};
  return usual_refusal(question, endpoint, response);
}

// The data of an answer whose own code says whether it is one.
Result<const json::object*> data_of(const json::value& body, std::string_view what) {
  if (!body.is_object()) return fail(Code::upstream_failed, fmt::format("{}: the answer is no object", what));
  const auto& object = body.get_object();
  const auto* success = object.if_contains("Success");
  if (!success) success = object.if_contains("success");
  const auto code = integer_at(object, "Code").value_or(200);
  if ((success && success->is_bool() && !success->get_bool()) || code != 200) {
    const auto words = text_at(object, "Message").or_else([&] { return text_at(object, "message"); }).value_or("no reason is given");
    const bool missing = code == 404 || lower_ascii(words).contains("not exist") || lower_ascii(words).contains("not found");
    return fail(missing ? Code::not_found : Code::upstream_failed,
                fmt::format("{}: ModelScope says: {} (code {})", what, printable(words), code));
  }
  const auto* data = object_at(object, "Data");
  if (!data) data = object_at(object, "data");
  if (!data) return fail(Code::upstream_failed, fmt::format("{}: the answer holds no data", what));
  return data;
}

std::optional<ListedFile> file_of(const json::object& entry) {
  auto path = text_at(entry, "Path");
  if (!path || text_at(entry, "Type") == "tree") return std::nullopt;
  ListedFile out{.path = std::move(*path)};
  out.role = role_of(out.path);
  if (const auto size = integer_at(entry, "Size"); size && *size >= 0) out.size = Bytes(static_cast<std::uint64_t>(*size));
  if (auto hex = os::parse_sha256(text_at(entry, "Sha256").value_or("")))
    out.digest = transfer::Digest{transfer::Algorithm::sha256, std::move(*hex)};
  return out;
}

// ModelScope names no commit of a whole repository: what it holds is named by its content.
Result<std::string> fingerprint(std::vector<ListedFile> files) {
  std::ranges::sort(files, {}, &ListedFile::path);
  std::string text;
  for (const auto& file : files) text += fmt::format("{} {}\n", file.digest ? file.digest->hex : "-", file.path);
  return os::sha256_of(text);
}

std::string_view sort_name(SearchOrder order) {
  return order == SearchOrder::updated || order == SearchOrder::created ? "last_modified" : "downloads";
}

wire::HubHit hit_of(const json::object& row) {
  wire::HubHit out{.catalogue = std::string(kModelScope), .repository = text_at(row, "id").value_or(""), .source = {}};
  out.source = Reference{.catalogue = out.catalogue, .repository = out.repository}.text();
  out.downloads = integer_at(row, "downloads");
  out.likes = integer_at(row, "likes");
  out.updated_at = time_at(row, "last_modified");
  out.licence = text_at(row, "license");
  return out;
}

class ModelScope final : public Catalogue {
 public:
  explicit ModelScope(const Access& access) : access_(access) {}

  net::Task<Result<wire::HubPage>> search(SearchQuery query) override {
    const std::size_t size = std::min(query.limit, kLargestPage);
    std::size_t page = 1;
    if (query.cursor) {
      const auto digits = std::from_chars(query.cursor->data(), query.cursor->data() + query.cursor->size(), page);
      if (digits.ec != std::errc() || page < 1 || page * size > kMostResults)
        co_return fail(Code::invalid_argument, "the cursor is not one of ModelScope's pages");
    }
    net::Query parameters;
    parameters.add("search", query.text);
    if (query.owner) parameters.add("owner", *query.owner);
    if (!query.any_format) parameters.add("filter.library", "gguf");
    parameters.add("sort", std::string(sort_name(query.order)));
    parameters.add("page_number", std::to_string(page));
    parameters.add("page_size", std::to_string(size));
    PUNA_CO_TRY(const auto answer, co_await question("the search", fmt::format("/openapi/v1/models?{}", parameters.text())));
    PUNA_CO_TRY(const auto* data, data_of(answer.body, "the search"));
    wire::HubPage out{.catalogue = std::string(kModelScope), .models = {}, .next = {}};
    const auto* models = array_at(*data, "models");
    if (!models) co_return fail(Code::upstream_failed, "the search: the answer is no list of models");
    for (const auto& row : *models)
      if (row.is_object()) out.models.push_back(hit_of(row.get_object()));
    const auto total = static_cast<std::size_t>(std::max<std::int64_t>(integer_at(*data, "total_count").value_or(0), 0));
    if (page * size < total && (page + 1) * size <= kMostResults) out.next = std::to_string(page + 1);
    co_return out;
  }

  net::Task<Result<wire::HubModel>> about(Reference reference) override {
    PUNA_CO_TRY(const auto pinned, co_await head(reference));
    PUNA_CO_TRY(const auto answer, co_await question(reference.shown(), fmt::format("/api/v1/models/{}", reference.repository)));
    PUNA_CO_TRY(const auto* data, data_of(answer.body, reference.shown()));
    wire::HubModel out{.about = {.catalogue = std::string(kModelScope), .repository = reference.repository, .source = reference.shown()},
                       .revision = pinned.revision,
                       .commit = pinned.commit};
    out.about.downloads = integer_at(*data, "Downloads");
    out.about.likes = integer_at(*data, "Stars");
    out.about.licence = text_at(*data, "License");
    if (const auto time = integer_at(*data, "LastUpdatedTime")) out.about.updated_at = format_time(WallTime(Seconds(*time)));
    out.page = fmt::format("https://www.modelscope.cn/models/{}", reference.repository);
    co_return out;
  }

  net::Task<Result<Head>> head(Reference reference) override {
    PUNA_CO_TRY(auto listing, co_await list(std::move(reference)));
    co_return Head{
        .repository = listing.reference.repository, .revision = std::move(listing.revision), .commit = std::move(listing.commit)};
  }

  net::Task<Result<Listing>> list(Reference reference) override {
    const auto revision = revision_of(reference);
    PUNA_CO_TRY(const auto answer,
                co_await question(reference.text(), fmt::format("/api/v1/models/{}/repo/files?Revision={}&Recursive=true&Root=",
                                                                reference.repository, net::percent_encode(revision))));
    PUNA_CO_TRY(const auto* data, data_of(answer.body, reference.text()));
    const auto* files = array_at(*data, "Files");
    if (!files) co_return fail(Code::upstream_failed, fmt::format("{}: the answer is no list of files", reference.text()));
    Listing out{.reference = std::move(reference), .revision = revision, .commit = {}, .files = {}};
    for (const auto& entry : *files)
      if (entry.is_object())
        if (auto file = file_of(entry.get_object())) add_checked(out, std::move(*file));
    PUNA_CO_TRY(out.commit, fingerprint(out.files));
    co_return out;
  }

  net::Task<Result<transfer::Location>> locate(Listing listing, ListedFile file, std::size_t, Renew) override {
    PUNA_CO_TRY(const auto endpoint, own_endpoint());
    PUNA_CO_TRY(auto url, behind(endpoint.url, fmt::format("/models/{}/resolve/{}/{}", listing.reference.repository,
                                                           net::percent_encode(listing.revision), net::percent_encode(file.path, "/"))));
    co_return transfer::Location{std::move(url), authorization(endpoint.token)};
  }

 private:
  static std::string revision_of(const Reference& reference) {
    return reference.revision.empty() ? std::string(kMasterBranch) : reference.revision;
  }
  Result<Endpoint> own_endpoint() const {
    const auto settings = access_.settings.snapshot();
    PUNA_TRY(auto url, net::Url::parse(settings->get(setting::kModelScopeEndpoint), "https"));
    return Endpoint{std::move(url), Secret(settings->get(setting::kModelScopeToken))};
  }
  net::Task<Result<JsonAnswer>> question(std::string what, std::string target) {
    PUNA_CO_TRY(auto endpoint, own_endpoint());
    co_return co_await ask_json(access_, {std::move(endpoint)}, Question{.what = std::move(what), .target = std::move(target)}, refusal);
  }

  Access access_;
};

}  // namespace

constinit const CatalogueSpec kModelScopeCatalogue = {
    .name = kModelScope,
    .title = "ModelScope",
    .form = "modelscope://owner/repo[:CHOICE][@REVISION]",
    .searches = true,
    .make = [](const Access& access) -> std::unique_ptr<Catalogue> { return std::make_unique<ModelScope>(access); }};

}  // namespace puna::hub
