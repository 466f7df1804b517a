// Hugging Face's hub, and mirrors of it. Source of the protocol: the hub's OpenAPI description and its reference client.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/settings_registry.h"
#include "base/text.h"
#include "hub/catalogues/registry.h"
#include "hub/catalogues/token.h"
#include "hub/catalogues/web.h"
#include "os/sha256.h"

namespace puna::hub {
namespace {

constexpr std::string_view kMainBranch = "main";
constexpr std::size_t kMostPages = 500;
constexpr std::size_t kMostFiles = 200'000;
constexpr Bytes kLargestCard = mib(2);

Result<std::vector<Endpoint>> endpoints_of(const Access& access) {
  std::vector<Endpoint> out;
  for (const auto& text : access.settings.snapshot()->get(setting::kHubEndpoints)) {
    auto url = net::Url::parse(text, "https");
    if (!url) return fail(std::move(url).error().within(std::string(setting::kHubEndpoints.key)));
    // Mirrors are other people's machines: the token is for the first alone.
    out.push_back({std::move(*url), out.empty() ? hub_token(access) : Secret()});
  }
  if (out.empty()) return fail(Code::invalid_argument, "hub.endpoints names no server: set it to https://huggingface.co");
  return out;
}

std::string page_of(std::string_view repository) {
  return fmt::format("https://huggingface.co/{}", repository);
}

Error not_found(const Question& question, const Endpoint& endpoint, const net::HttpResponse& response, std::string_view code) {
  const std::string id = request_id(response.headers);
  if (code == "RevisionNotFound") return {Code::not_found, fmt::format("{}: there is no such revision{}", question.what, id)};
  if (code == "EntryNotFound") return {Code::not_found, fmt::format("{}: there is no such file{}", question.what, id)};
  return {Code::not_found,
          fmt::format("{}: {} has no such repository{}{}", question.what, endpoint.url.authority(),
                      endpoint.token.empty() ? ", or it is private: an access token (hub.token, or HF_TOKEN) shows private ones"
                                             : ", or the access token may not see it",
                      id)};
}

Error refusal(const Question& question, const Endpoint& endpoint, const net::HttpResponse& response) {
  const std::string code(response.headers.get("X-Error-Code").value_or(""));
  const std::string words = said(response);
  const std::string id = request_id(response.headers);
  if (code == "GatedRepo" && endpoint.token.empty())
    return {Code::unauthenticated, fmt::format("{0} is gated: accept its terms at {1} and set an access token (hub.token, or HF_TOKEN){2}",
                                               question.what, page_of(question.what.substr(0, question.what.find_first_of(" :@"))), id)};
  if (code == "GatedRepo")
    return {Code::permission_denied, fmt::format("{0} is gated, and your account has no access yet: ask for it at {1}{2}", question.what,
                                                 page_of(question.what.substr(0, question.what.find_first_of(" :@"))), id)};
  if (words.contains("Access to this resource is disabled"))
    return {Code::permission_denied, fmt::format("{} was disabled by {}{}", question.what, endpoint.url.authority(), id)};
  if (response.status == 401 && words.contains("Invalid credentials"))
    return {Code::unauthenticated,
            fmt::format("{}: {} does not know the access token: make a new one at https://huggingface.co/settings/tokens "
                        "and set hub.token{}",
                        question.what, endpoint.url.authority(), id)};
  if (response.status == 401 || response.status == 404) return not_found(question, endpoint, response, code);
  if (response.status == 403)
    return {Code::permission_denied,
            fmt::format("{}: {} refuses access{}{}{}", question.what, endpoint.url.authority(), words.empty() ? "" : ": " + words,
                        endpoint.token.empty() ? "; an access token (hub.token) may help" : "; the access token lacks the right", id)};
  return usual_refusal(question, endpoint, response);
}

std::optional<std::string> gate_of(const json::object& row) {
  const auto* gated = row.if_contains("gated");
  if (gated && gated->is_string()) return std::string(std::string_view(gated->get_string()));
  return std::nullopt;
}

std::optional<std::string> licence_of(const json::object& row, const std::vector<std::string>& tags) {
  if (const auto* card = object_at(row, "cardData"))
    if (auto licence = text_at(*card, "license")) return licence == "other" ? text_at(*card, "license_name").value_or("other") : licence;
  constexpr std::string_view kPrefix = "license:";
  for (const auto& tag : tags)
    if (tag.starts_with(kPrefix)) return tag.substr(kPrefix.size());
  return std::nullopt;
}

wire::HubHit hit_of(const json::object& row) {
  wire::HubHit out{.catalogue = std::string(kHuggingFace), .repository = {}, .source = {}};
  out.repository = text_at(row, "id").or_else([&] { return text_at(row, "modelId"); }).value_or("");
  out.source = Reference{.catalogue = out.catalogue, .repository = out.repository}.text();
  out.downloads = integer_at(row, "downloads");
  out.likes = integer_at(row, "likes");
  out.updated_at = time_at(row, "lastModified").or_else([&] { return time_at(row, "createdAt"); });
  if (const auto* tags = array_at(row, "tags"))
    for (const auto& tag : *tags)
      if (tag.is_string()) out.tags.emplace_back(std::string_view(tag.get_string()));
  out.licence = licence_of(row, out.tags);
  out.gated = gate_of(row);
  const auto* hidden = row.if_contains("private");
  out.is_private = hidden && hidden->is_bool() && hidden->get_bool();
  return out;
}

std::string_view sort_name(SearchOrder order) {
  switch (order) {
    case SearchOrder::trending:
      return "trendingScore";
    case SearchOrder::downloads:
      return "downloads";
    case SearchOrder::likes:
      return "likes";
    case SearchOrder::updated:
      return "lastModified";
    case SearchOrder::created:
      return "createdAt";
  }
  return "trendingScore";
}

std::string search_target(const SearchQuery& query) {
  // A page is asked for as the server named it; its host was checked when the cursor was made.
  if (query.cursor) return fmt::format("/api/models?{}", *query.cursor);
  net::Query parameters;
  if (!query.text.empty()) parameters.add("search", query.text);
  if (query.owner) parameters.add("author", *query.owner);
  if (!query.any_format) parameters.add("filter", "gguf");
  if (query.licence) parameters.add("filter", fmt::format("license:{}", *query.licence));
  if (query.task) parameters.add("pipeline_tag", *query.task);
  parameters.add("sort", std::string(sort_name(query.order)));
  parameters.add("limit", std::to_string(query.limit));
  for (const std::string_view name : {"downloads", "likes", "lastModified", "gated", "private", "tags"})
    parameters.add("expand", std::string(name));
  return fmt::format("/api/models?{}", parameters.text());
}

// The query of the next page's URL, if that is a page of the same list at the same server: what is elsewhere is not followed.
Result<std::optional<std::string>> next_query(const net::Headers& headers, const net::Url& asked) {
  const auto link = next_link(headers);
  if (!link) return std::nullopt;
  PUNA_TRY(const auto next, asked.resolve(*link));
  if (!next.same_origin(asked) || next.path != asked.path || !next.query)
    return fail(Code::upstream_failed,
                fmt::format("{} names {} as its next page, which is somewhere else: not followed", asked.printable(), next.printable()));
  return *next.query;
}

std::optional<ListedFile> file_of(const json::object& entry) {
  auto path = text_at(entry, "path");
  if (!path || text_at(entry, "type") != "file") return std::nullopt;
  ListedFile out{.path = std::move(*path)};
  out.role = role_of(out.path);
  const auto* lfs = object_at(entry, "lfs");
  const auto size = lfs ? integer_at(*lfs, "size").or_else([&] { return integer_at(entry, "size"); }) : integer_at(entry, "size");
  if (size && *size >= 0) out.size = Bytes(static_cast<std::uint64_t>(*size));
  // The tree calls the SHA-256 "oid"; other answers call it "sha256".
  if (const auto sha256 = lfs ? text_at(*lfs, "oid").or_else([&] { return text_at(*lfs, "sha256"); }) : std::nullopt) {
    if (auto hex = os::parse_sha256(*sha256)) out.digest = transfer::Digest{transfer::Algorithm::sha256, std::move(*hex)};
  } else if (const auto oid = text_at(entry, "oid"); oid && oid->size() == 40) {
    out.digest = transfer::Digest{transfer::Algorithm::git_sha1, lower_ascii(*oid)};
  }
  return out;
}

std::string shown_with_revision(const Reference& reference, std::string_view revision) {
  return revision == kMainBranch ? reference.shown() : fmt::format("{}@{}", reference.shown(), revision);
}

class HuggingFace final : public Catalogue {
 public:
  explicit HuggingFace(const Access& access) : access_(access) {}

  net::Task<Result<wire::HubPage>> search(SearchQuery query) override {
    PUNA_CO_TRY(const auto endpoints, endpoints_of(access_));
    Question question{.what = "the search", .target = search_target(query)};
    PUNA_CO_TRY(const auto answer, co_await ask_json(access_, endpoints, question, refusal));
    wire::HubPage out{.catalogue = std::string(kHuggingFace), .models = {}, .next = {}};
    if (!answer.body.is_array()) co_return fail(Code::upstream_failed, "the search: the answer is no list of models");
    for (const auto& row : answer.body.get_array())
      if (row.is_object())
        if (auto hit = hit_of(row.get_object()); !hit.repository.empty()) out.models.push_back(std::move(hit));
    PUNA_CO_TRY(const auto asked, behind(endpoints[answer.endpoint].url, question.target));
    PUNA_CO_TRY(out.next, next_query(answer.headers, asked));
    co_return out;
  }

  net::Task<Result<wire::HubModel>> about(Reference reference) override {
    const auto revision = revision_of(reference);
    PUNA_CO_TRY(const auto answer,
                co_await info(reference, {"sha", "gated", "private", "downloads", "likes", "lastModified", "tags", "cardData", "gguf"}));
    const auto& row = answer.body.get_object();
    wire::HubModel out{.about = hit_of(row), .revision = revision, .commit = text_at(row, "sha").value_or("")};
    if (const auto* gguf = object_at(row, "gguf")) {
      out.architecture = text_at(*gguf, "architecture");
      out.context_length = integer_at(*gguf, "context_length");
      out.parameters = integer_at(*gguf, "total");
      out.chat_template = text_at(*gguf, "chat_template");
    }
    out.page = page_of(out.about.repository);
    co_return out;
  }

  net::Task<Result<Head>> head(Reference reference) override {
    PUNA_CO_TRY(auto pinned, co_await pin(reference));
    co_return std::move(pinned.head);
  }

  net::Task<Result<Listing>> list(Reference reference) override {
    PUNA_CO_TRY(const auto pinned, co_await pin(reference));
    PUNA_CO_TRY(const auto endpoints, endpoints_of(access_));
    reference.repository = pinned.head.repository;
    Listing out{.reference = reference, .revision = pinned.head.revision, .commit = pinned.head.commit, .files = {}, .gated = pinned.gated};
    const std::string path = fmt::format("/api/models/{}/tree/{}", reference.repository, out.commit);
    Question question{.what = shown_with_revision(reference, out.revision), .target = path + "?recursive=true"};
    for (std::size_t page = 0;; ++page) {
      PUNA_CO_TRY(const auto answer, co_await ask_json(access_, endpoints, question, refusal));
      if (!answer.body.is_array()) co_return fail(Code::upstream_failed, fmt::format("{}: the answer is no list of files", question.what));
      for (const auto& entry : answer.body.get_array())
        if (entry.is_object())
          if (auto file = file_of(entry.get_object())) add_checked(out, std::move(*file));
      PUNA_CO_TRY(const auto asked, behind(endpoints[answer.endpoint].url, question.target));
      PUNA_CO_TRY(const auto next, next_query(answer.headers, asked));
      if (!next) break;
      if (page + 1 >= kMostPages || out.files.size() > kMostFiles)
        co_return fail(Code::too_large, fmt::format("{} has more than {} files", question.what, out.files.size()));
      question.target = fmt::format("{}?{}", path, *next);
    }
    co_return out;
  }

  net::Task<Result<transfer::Location>> locate(Listing listing, ListedFile file, std::size_t mirror, Renew) override {
    PUNA_CO_TRY(const auto endpoints, endpoints_of(access_));
    const auto& endpoint = endpoints[std::min(mirror, endpoints.size() - 1)];
    if (listing.gated) PUNA_CO_CHECK(co_await check_gate(listing, endpoint));
    PUNA_CO_TRY(auto url, behind(endpoint.url, contents_target(listing, file.path)));
    co_return transfer::Location{std::move(url), authorization(endpoint.token)};
  }

  net::Task<Result<std::string>> card(Listing listing) override {
    const auto found = std::ranges::find(listing.files, wire::FileRole::card, &ListedFile::role);
    if (found == listing.files.end()) co_return fail(Code::not_found, fmt::format("{} has no model card", listing.reference.shown()));
    PUNA_CO_TRY(const auto endpoints, endpoints_of(access_));
    Question question{
        .what = listing.reference.shown(), .target = contents_target(listing, found->path), .headers = {}, .limit = kLargestCard};
    PUNA_CO_TRY(auto answer, co_await ask(access_, endpoints, question, refusal));
    co_return std::move(answer.response.body);
  }

 private:
  struct Pinned {
    Head head;
    bool gated = false;
  };

  net::Task<Result<Pinned>> pin(Reference reference) {
    PUNA_CO_TRY(const auto answer, co_await info(reference, {"sha", "gated"}));
    const auto& row = answer.body.get_object();
    const auto commit = text_at(row, "sha");
    if (!commit || !check_revision(*commit))
      co_return fail(Code::upstream_failed, fmt::format("{}: the answer names no commit", reference.shown()));
    auto name = text_at(row, "id").value_or(reference.repository);
    if (!check_repository(name)) name = reference.repository;
    co_return Pinned{.head = {.repository = std::move(name), .revision = revision_of(reference), .commit = *commit},
                     .gated = gate_of(row).has_value()};
  }

  // What the gate says is told before the first byte; any other trouble shows where the file itself is asked for.
  net::Task<Result<>> check_gate(Listing listing, Endpoint endpoint) {
    const std::string target = fmt::format("/api/models/{}/auth-check", listing.reference.repository);
    auto answer = co_await ask(access_, {std::move(endpoint)}, {.what = listing.reference.shown(), .target = target}, refusal);
    const bool closed = !answer && (answer.error().code == Code::unauthenticated || answer.error().code == Code::permission_denied);
    if (closed) co_return fail(std::move(answer).error());
    co_return Result<>();
  }

  static std::string revision_of(const Reference& reference) {
    return reference.revision.empty() ? std::string(kMainBranch) : reference.revision;
  }
  // The slash between owner and name is never escaped; a revision is one segment; a path keeps its slashes.
  static std::string contents_target(const Listing& listing, const std::string& path) {
    return fmt::format("/{}/resolve/{}/{}", listing.reference.repository, net::percent_encode(listing.commit),
                       net::percent_encode(path, "/"));
  }

  net::Task<Result<JsonAnswer>> info(Reference reference, std::vector<std::string> fields) {
    PUNA_CO_TRY(const auto endpoints, endpoints_of(access_));
    net::Query parameters;
    for (auto& field : fields) parameters.add("expand", std::move(field));
    const auto revision = revision_of(reference);
    Question question{
        .what = shown_with_revision(reference, revision),
        .target = fmt::format("/api/models/{}/revision/{}?{}", reference.repository, net::percent_encode(revision), parameters.text())};
    const auto what = question.what;
    PUNA_CO_TRY(auto answer, co_await ask_json(access_, endpoints, std::move(question), refusal));
    if (!answer.body.is_object()) co_return fail(Code::upstream_failed, fmt::format("{}: the answer is no model", what));
    co_return answer;
  }

  Access access_;
};

}  // namespace

constinit const CatalogueSpec kHuggingFaceCatalogue = {
    .name = kHuggingFace,
    .title = "Hugging Face",
    .form = "owner/repo[:CHOICE][@REVISION]",
    .searches = true,
    .make = [](const Access& access) -> std::unique_ptr<Catalogue> { return std::make_unique<HuggingFace>(access); }};

}  // namespace puna::hub
