#include "hub/hub.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/settings_registry.h"
#include "base/text.h"
#include "hub/choice/choose.h"
#include "hub/default_name.h"
#include "hub/remote_header.h"
#include "model/name.h"
#include "model/quantization_name.h"

namespace puna::hub {
namespace {

constexpr std::size_t kLongestCursor = 4096;
constexpr std::size_t kRememberedFacts = 64;

// Where there is nothing to choose among: a file, an URL, a tag of a registry.
bool is_one_model(std::string_view catalogue) {
  return catalogue == kFile || catalogue == kUrl || catalogue == kOllama;
}

Variant only_variant(const Listing& listing) {
  Variant out{.name = {}, .format = "gguf", .files = {}};
  for (const bool weights : {true, false})
    for (const auto& file : listing.files)
      if ((file.role == wire::FileRole::weights) == weights) out.files.push_back(file);
  const std::string& path = out.files.front().path;
  out.name = model::quantization_in(path).value_or(std::string(model::stem_of(path.substr(path.rfind('/') + 1))));
  out.parts = out.weights().size();
  const auto part = model::part_of(path);
  if (part && part->count != out.parts)
    out.problem = fmt::format("{} is one part of a split model of {}, and the others were not found beside it", path, part->count);
  return out;
}

std::vector<Variant> variants_in(const Listing& listing) {
  if (!is_one_model(listing.reference.catalogue)) return variants_of(listing);
  return {only_variant(listing)};
}

Wish wish_of(const Settings& settings, const os::HardwareInfo& machine) {
  return {.filter = {},
          .preferred = settings.get(setting::kPreferredQuantizations),
          .memory = Bytes(std::min(machine.memory_total_bytes, machine.memory_limit_bytes.value_or(machine.memory_total_bytes)))};
}

Result<Variant> choose_from(const Listing& listing, std::span<const Variant> variants, const Settings& settings,
                            const os::HardwareInfo& machine) {
  auto wish = wish_of(settings, machine);
  if (!listing.reference.choice.empty()) {
    PUNA_TRY(wish.filter, Filter::parse(listing.reference.choice));
  }
  return choose(listing, variants, wish);
}

Bytes memory_of(const Variant& variant) {
  Bytes out;
  for (const auto& file : variant.files)
    if (file.role == wire::FileRole::weights || file.role == wire::FileRole::projector || file.role == wire::FileRole::adapter)
      out += file.size.value_or(Bytes());
  return out;
}

// "llama3.2:3b" of Ollama's registry, "smollm2-135m-instruct:q4_k_m" of a file's name, "qwen3-8b:safetensors" of a repository's.
std::string name_for(const Listing& listing, const Variant& variant) {
  const auto& reference = listing.reference;
  if (reference.catalogue == kOllama) {
    const std::string_view path = reference.repository;
    return fmt::format("{}:{}", path.starts_with("library/") ? path.substr(8) : path, listing.revision);
  }
  const std::string& path = variant.files.front().path;
  if (variant.format == "gguf") {
    const auto stem = model::stem_of(path);
    const auto name = default_name(fmt::format("{}.gguf", stem.substr(stem.rfind('/') + 1)));
    return name.contains(':') || !model::quantization_in(path) ? name : fmt::format("{}:{}", name, lower_ascii(variant.name));
  }
  const auto repository = default_name(reference.repository.substr(reference.repository.rfind('/') + 1));
  return repository.contains(':') ? repository : fmt::format("{}:safetensors", repository);
}

Result<std::string> chosen_name(const wire::PullRequest& request, const Listing& listing, const Variant& variant) {
  const std::string chosen = request.name ? *request.name : name_for(listing, variant);
  if (chosen.empty())
    return fail(Code::invalid_argument, fmt::format("no model name can be made from {}: give one", listing.reference.shown()));
  PUNA_TRY(const auto name, model::Name::parse(chosen));
  return name.text();
}

wire::HubVariant wire_of(const Variant& variant, const std::optional<ModelFacts>& facts, const Settings& settings,
                         const os::HardwareInfo& machine) {
  wire::HubVariant out{.name = variant.name, .format = variant.format};
  if (const auto size = variant.size()) out.size = static_cast<std::int64_t>(size->count);
  out.parts = static_cast<std::int64_t>(variant.parts);
  for (const auto& file : variant.files) out.files.push_back(file.path);
  if (!variant.problem.empty()) out.problem = variant.problem;
  if (variant.format == "gguf" && out.size) out.memory = memory_need(memory_of(variant), facts, settings, machine);
  return out;
}

void note_unsafe(const Listing& listing, std::vector<std::string>& notes) {
  if (listing.unsafe_names > 0)
    notes.push_back(fmt::format("{} files have names that are not safe on every system and are left out", listing.unsafe_names));
}

}  // namespace

Hub::Hub(net::HttpClient& http, const SettingsStore& settings, os::Environment environment)
    : access_{.http = http, .settings = settings, .environment = std::move(environment)}, catalogues_(access_) {}

net::Task<Result<wire::HubPage>> Hub::search(std::string catalogue, SearchQuery query) {
  const auto longest = static_cast<std::size_t>(access_.settings.snapshot()->get(setting::kLongestSearch));
  query.text = std::string(trim(query.text));
  if (query.text.size() > longest)
    co_return fail(Code::too_large, fmt::format("a search has at most {} characters (setting {}), this one has {}", longest,
                                                setting::kLongestSearch.key, query.text.size()));
  if (!is_utf8(query.text) || printable(query.text) != query.text)
    co_return fail(Code::invalid_argument, "the search holds control characters, or is not valid UTF-8");
  if (query.cursor && (query.cursor->size() > kLongestCursor || !net::is_header_value(*query.cursor) || query.cursor->contains('#')))
    co_return fail(Code::invalid_argument, "the cursor is not one that a search gave");
  PUNA_CO_TRY(auto* found, catalogues_.find(catalogue));
  co_return co_await found->search(std::move(query));
}

net::Task<Result<wire::HubModel>> Hub::show(Reference reference, Card card) {
  PUNA_CO_TRY(auto* catalogue, catalogues_.find(reference.catalogue));
  PUNA_CO_TRY(auto out, co_await catalogue->about(reference));
  PUNA_CO_TRY(const auto listing, co_await catalogue->list(reference));
  const auto settings = access_.settings.snapshot();
  const auto machine = os::probe_hardware();
  const auto variants = variants_in(listing);
  const auto chosen = variants.empty() ? Result<Variant>(fail(Code::not_found, "")) : choose_from(listing, variants, *settings, machine);
  std::optional<ModelFacts> facts;
  if (const auto* first = chosen ? &*chosen : variants.empty() ? nullptr : &variants.front(); first && first->format == "gguf") {
    auto read = co_await facts_of_variant(listing, first->files.front());
    if (read)
      facts = std::move(*read);
    else
      out.notes.push_back(fmt::format("the header could not be read, so memory is that of the weights alone: {}", read.error().text()));
  }
  for (const auto& variant : variants) {
    auto row = wire_of(variant, facts, *settings, machine);
    row.chosen = chosen && chosen->files.front().path == variant.files.front().path;
    out.variants.push_back(std::move(row));
  }
  if (facts) {
    out.architecture = facts->architecture;
    if (facts->context_length) out.context_length = static_cast<std::int64_t>(*facts->context_length);
    if (!out.parameters && chosen && chosen->parts == 1) out.parameters = static_cast<std::int64_t>(facts->parameters);
    if (facts->chat_template) out.chat_template = facts->chat_template;
  }
  note_unsafe(listing, out.notes);
  if (card == Card::bring) {
    auto text = co_await catalogue->card(listing);
    if (text)
      out.card = std::move(*text);
    else
      out.notes.push_back(text.error().text());
  }
  co_return out;
}

net::Task<Result<Prepared>> Hub::prepare(Reference reference, wire::PullRequest request, Look look) {
  PUNA_CO_CHECK(check_owner(reference));
  PUNA_CO_TRY(auto* catalogue, catalogues_.find(reference.catalogue));
  Prepared out;
  PUNA_CO_TRY(out.listing, co_await catalogue->list(reference));
  const auto variants = variants_in(out.listing);
  const auto settings = access_.settings.snapshot();
  if (is_one_model(reference.catalogue)) {
    out.variant = variants.front();
    if (!out.variant.problem.empty()) co_return fail(Code::unsupported, out.variant.problem);
  } else {
    PUNA_CO_TRY(out.variant, choose_from(out.listing, variants, *settings, os::probe_hardware()));
    out.filter = reference.choice.empty() ? out.variant.name : reference.choice;
  }
  out.name_was_given = request.name.has_value();
  PUNA_CO_TRY(out.name, chosen_name(request, out.listing, out.variant));
  note_unsafe(out.listing, out.notes);
  if (out.variant.format != "gguf")
    out.notes.emplace_back("safetensors are kept as they are; to run the model, take a GGUF of it or convert it");
  else if (look == Look::into_header && reference.catalogue != kFile) {
    auto facts = co_await facts_of_variant(out.listing, out.variant.files.front());
    if (facts)
      out.facts = std::move(*facts);
    else if (facts.error().code == Code::unauthenticated || facts.error().code == Code::permission_denied)
      co_return fail(std::move(facts).error());  // what may not be read will not come
    else
      out.notes.push_back(fmt::format("the header could not be read, so memory is that of the weights alone: {}", facts.error().text()));
  }
  co_return out;
}

net::Task<Result<Head>> Hub::head(Reference reference) {
  PUNA_CO_TRY(auto* catalogue, catalogues_.find(reference.catalogue));
  co_return co_await catalogue->head(std::move(reference));
}

net::Task<Result<transfer::Location>> Hub::locate(Listing listing, ListedFile file, std::size_t mirror, Catalogue::Renew renew) {
  PUNA_CO_TRY(auto* catalogue, catalogues_.find(listing.reference.catalogue));
  co_return co_await catalogue->locate(std::move(listing), std::move(file), mirror, renew);
}

net::Task<Result<ModelFacts>> Hub::facts_of_variant(Listing listing, ListedFile first) {
  if (!first.size) co_return fail(Code::unsupported, "the size of the file is not known");
  const std::string key = first.digest ? digest_text(*first.digest) : "";
  if (const auto known = facts_.find(key); known != facts_.end() && !key.empty()) co_return known->second;
  PUNA_CO_TRY(auto location, co_await locate(std::move(listing), first, 0, Catalogue::Renew::no));
  PUNA_CO_TRY(const auto header, co_await fetch_header(access_.http, access_.settings, std::move(location), *first.size));
  auto facts = facts_of(header);
  if (facts_.size() >= kRememberedFacts) facts_.clear();
  if (!key.empty()) facts_.insert_or_assign(key, facts);
  co_return facts;
}

Result<> Hub::check_owner(const Reference& reference) const {
  const auto settings = access_.settings.snapshot();
  const auto& allowed = settings->get(setting::kAllowedOwners);
  const auto owner = reference.owner();
  if (allowed.empty() || reference.catalogue == kFile) return {};
  if (std::ranges::any_of(allowed, [&](const std::string& name) { return equal_ignoring_case(name, owner); })) return {};
  return fail(Code::permission_denied, fmt::format("{} is not taken: the setting {} allows {}", reference.shown(),
                                                   setting::kAllowedOwners.key, join(allowed, ", ")));
}

Result<Reference> reference_of(const wire::PullRequest& request) {
  PUNA_TRY(auto out, parse_reference(request.source));
  if (request.filter) {
    PUNA_TRY(const auto filter, Filter::parse(*request.filter));
    if (is_one_model(out.catalogue))
      return fail(Code::invalid_argument, fmt::format("{} is one model: there is nothing to filter", out.shown()));
    if (!out.choice.empty() && out.choice != filter.text())
      return fail(Code::invalid_argument,
                  fmt::format("'{}' and the filter '{}' contradict each other: give one", out.choice, filter.text()));
    out.choice = filter.text();
  } else if (!out.choice.empty()) {
    PUNA_CHECK(Filter::parse(out.choice));
  }
  if (request.revision) {
    PUNA_CHECK(check_revision(*request.revision));
    if (!out.place.empty()) return fail(Code::invalid_argument, fmt::format("{} has no revisions", out.shown()));
    if (!out.revision.empty() && out.revision != *request.revision)
      return fail(Code::invalid_argument,
                  fmt::format("'@{}' and the revision '{}' contradict each other: give one", out.revision, *request.revision));
    out.revision = *request.revision;
  }
  return out;
}

std::optional<Reference> upstream_of(const wire::Provenance& provenance) {
  std::string text;
  if (provenance.catalogue == kUrl && provenance.url) text = *provenance.url;
  if (provenance.repository && (provenance.catalogue == kHuggingFace || provenance.catalogue == kModelScope)) {
    text = fmt::format("{}://{}", provenance.catalogue, *provenance.repository);
    if (provenance.filter) text += ":" + *provenance.filter;
    if (provenance.revision) text += "@" + *provenance.revision;
  }
  if (provenance.repository && provenance.catalogue == kOllama)
    text = fmt::format("ollama://{}:{}", *provenance.repository, provenance.revision.value_or("latest"));
  if (text.empty()) return std::nullopt;
  auto reference = parse_reference(text);
  if (!reference) return std::nullopt;
  return std::move(*reference);
}

}  // namespace puna::hub
