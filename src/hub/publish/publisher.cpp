#include "hub/publish/publisher.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/settings_registry.h"
#include "base/text.h"
#include "hub/catalogues/ollama_registry.h"
#include "hub/catalogues/token.h"
#include "hub/hub.h"
#include "hub/publish/card.h"
#include "hub/publish/ollama_layers.h"
#include "hub/publish/signing_key.h"
#include "model/library.h"
#include "os/file.h"
#include "os/sha256.h"

namespace puna::hub::publish {
namespace {

constexpr std::string_view kKind = "push";
constexpr std::string_view kCardPath = "README.md";
constexpr int kAttempts = 5;

struct Order {
  std::string model;
  std::string destination;
  std::optional<bool> is_private;
  std::string message;
};
BOOST_DESCRIBE_STRUCT(Order, (), (model, destination, is_private, message))

std::string title_of(const json::value& request) {
  const auto order = json::decode<Order>(request);
  return order ? fmt::format("push {} to {}", order->model, order->destination) : "push";
}

Result<> check_repository_to_push(const Reference& destination, std::string_view typed) {
  if (!destination.repository.contains('/'))
    return fail(Code::invalid_argument, fmt::format("'{}' names no owner: push to owner/repo", printable(typed)));
  if (!destination.choice.empty())
    return fail(Code::invalid_argument,
                fmt::format("'{}': a push takes the whole model; leave '{}' out", printable(typed), printable(destination.choice)));
  return {};
}

Result<> check_registry_model(const Reference& destination, std::string_view typed) {
  constexpr std::string_view kForeign = "library/";
  if (!destination.host.empty() || !destination.repository.starts_with(kForeign)) return {};
  return fail(Code::invalid_argument,
              fmt::format("'{}' names no namespace of yours: push to ollama://NAMESPACE/NAME:TAG", printable(typed)));
}

Result<Reference> parse_destination(std::string_view typed) {
  PUNA_TRY(auto out, parse_reference(typed));
  if (out.catalogue == kHuggingFace) {
    PUNA_CHECK(check_repository_to_push(out, typed));
  } else if (out.catalogue == kOllama) {
    PUNA_CHECK(check_registry_model(out, typed));
  } else {
    return fail(Code::unsupported, fmt::format("models are pushed to Hugging Face, as owner/repo, or to a registry, as "
                                               "ollama://NAMESPACE/NAME:TAG, not to '{}'",
                                               printable(typed)));
  }
  return out;
}

// A registry has tags, which anybody may pull, and no commits.
Result<> check_fits(const Reference& destination, const wire::PushRequest& request) {
  if (destination.catalogue != kOllama) return {};
  if (request.is_private.value_or(false))
    return fail(Code::invalid_argument, "a registry has no private models that a push could make; leave `private` out");
  if (request.message) return fail(Code::invalid_argument, "a registry keeps no messages; leave `message` out");
  return {};
}

// What the library knows of a file's content, or else its bytes say.
Result<std::string> digest_of(const wire::ModelFile& file, jobs::JobContext& context) {
  if (!file.sha256.empty()) return file.sha256;
  PUNA_TRY(const auto opened, os::open_regular_file(file.place));
  os::Sha256 hash;
  PUNA_CHECK(os::hash_file(hash, opened.get(), Bytes(0), Bytes(static_cast<std::uint64_t>(file.size)), context.stop(), [&](Bytes at) {
    context.progress({.done = static_cast<std::int64_t>(at.count), .total = file.size, .unit = "bytes", .phase = "hashing"});
  }));
  return hash.hex();
}

Result<CargoFile> taken(const wire::ModelFile& file, jobs::JobContext& context) {
  CargoFile out{.path = file.role == wire::FileRole::card ? std::string(kCardPath) : file.path,
                .role = file.role,
                .place = file.place,
                .size = Bytes(static_cast<std::uint64_t>(file.size))};
  PUNA_TRY(out.sha256, digest_of(file, context));
  return out;
}

Result<Cargo> load(const wire::ModelDetail& detail, const Order& order, jobs::JobContext& context) {
  Cargo out{.destination = {},
            .files = {},
            .details = detail.model.details,
            .is_private = order.is_private.value_or(false),
            .message = order.message};
  PUNA_TRY(out.destination, parse_destination(order.destination));
  for (const auto& file : detail.files) {
    PUNA_TRY(auto one, taken(file, context));
    out.files.push_back(std::move(one));
  }
  if (out.destination.catalogue == kOllama) {
    PUNA_TRY(out.files, ollama_layers(detail, out.files));
    return out;
  }
  if (std::ranges::find(out.files, kCardPath, &CargoFile::path) == out.files.end()) {
    CargoFile card{.path = std::string(kCardPath), .role = wire::FileRole::card, .text = make_card(out.destination, detail, out.files)};
    card.size = Bytes(card.text.size());
    card.only_if_missing = true;
    PUNA_TRY(card.sha256, os::sha256_of(card.text));
    out.files.push_back(std::move(card));
  }
  return out;
}

Result<net::Url> endpoint_of(const Settings& settings) {
  const auto& endpoints = settings.get(setting::kHubEndpoints);
  if (endpoints.empty()) return fail(Code::invalid_argument, "hub.endpoints names no server: set it to https://huggingface.co");
  return net::Url::parse(endpoints.front(), "https");
}

}  // namespace

Publisher::Publisher(Parts parts) : parts_(std::move(parts)), courier_(parts_.settings, parts_.http) {}

jobs::JobSpec Publisher::job_spec() {
  return {.kind = kKind,
          .title = title_of,
          .run = [this](jobs::JobContext& context) { return run(context); },
          .resumable = true,  // begins anew, and finds there what it sent before
          .retry = {.attempts = kAttempts}};
}

Result<wire::Job> Publisher::submit(jobs::Queue& queue, std::string_view model, const wire::PushRequest& request) {
  PUNA_TRY(const auto destination, parse_destination(request.destination));
  PUNA_CHECK(check_fits(destination, request));
  PUNA_TRY(const auto detail, parts_.library.show(model));
  if (detail.model.problem) return fail(Code::conflict, fmt::format("model {}: {}", detail.model.name, *detail.model.problem));
  Order order{.model = detail.model.name,
              .destination = destination.text(),
              .is_private = request.is_private,
              .message = request.message.value_or(fmt::format("Upload {} with Puna", detail.model.name))};
  auto stored = json::encode(order);
  const auto key = fmt::format("{} {}", order.model, order.destination);
  return queue.submit(kKind, std::move(stored), key);
}

Result<OllamaParts> Publisher::registry_parts(const Reference& destination, const wire::Provenance& provenance) {
  PUNA_TRY(auto registry, registry_of(*parts_.settings.snapshot(), destination));
  const auto place = registry.host == "registry.ollama.ai" ? std::string("https://ollama.com") : registry.without_credentials().text();
  auto page = fmt::format("{}/{}:{}", place, destination.repository, tag_of(destination));
  const auto source = upstream_of(provenance);
  const bool neighbour = source && source->catalogue == kOllama && source->host == destination.host;
  return OllamaParts{.courier = courier_,
                     .half_sent = half_sent_blobs_,
                     .registry = std::move(registry),
                     .key_file = SigningKey::usual_place(parts_.environment),
                     .part_size = parts_.registry_part,
                     .page = std::move(page),
                     .mount_from = neighbour && source->repository != destination.repository ? source->repository : std::string()};
}

Result<Published> Publisher::publish(const Cargo& cargo, const wire::Provenance& provenance, jobs::JobContext& context) {
  const auto progress = [&context](Bytes done, Bytes total) {
    context.progress({.done = static_cast<std::int64_t>(done.count),
                      .total = static_cast<std::int64_t>(total.count),
                      .unit = "bytes",
                      .phase = "uploading"});
  };
  if (cargo.destination.catalogue == kOllama) {
    PUNA_TRY(const auto parts, registry_parts(cargo.destination, provenance));
    return publish_on_ollama(parts, cargo, progress, context.stop());
  }
  const auto settings = parts_.settings.snapshot();
  PUNA_TRY(auto endpoint, endpoint_of(*settings));
  const auto token = hub_token(parts_.settings, parts_.environment);
  return publish_on_huggingface({.courier = courier_, .half_sent = half_sent_, .endpoint = std::move(endpoint), .token = token}, cargo,
                                progress, context.stop());
}

Result<std::optional<Companions>> Publisher::add_companions(const wire::ModelDetail& detail, jobs::JobContext& context, Cargo& cargo,
                                                            std::optional<std::string>& note) const {
  const auto& capabilities = detail.model.details.capabilities;
  const bool is_adapter = std::ranges::find(capabilities, "adapter") != capabilities.end();
  if (!is_adapter || !parts_.companions_of || cargo.destination.catalogue != kHuggingFace) return std::nullopt;
  auto made = parts_.companions_of(detail, context);
  if (!made) {
    PUNA_CHECK(context.go_on());
    note = "it went without the files that PEFT reads: " + made.error().text();
    return std::nullopt;
  }
  for (const auto& file : made->files) {
    std::error_code error;
    const auto size = std::filesystem::file_size(file, error);
    if (error) return fail(errno_error(error.value(), fmt::format("cannot look at {}", file.string())));
    PUNA_TRY(auto one, taken({.path = file.filename().string(), .size = static_cast<std::int64_t>(size), .place = file.string()}, context));
    cargo.files.push_back(std::move(one));
  }
  return std::optional<Companions>(std::move(*made));
}

Result<json::value> Publisher::run(jobs::JobContext& context) {
  PUNA_TRY(const auto order, json::decode<Order>(context.request()));
  PUNA_TRY(const auto detail, parts_.library.show(order.model));
  if (detail.model.problem) return fail(Code::conflict, fmt::format("model {}: {}", detail.model.name, *detail.model.problem));
  PUNA_TRY(auto cargo, load(detail, order, context));
  wire::PushResult out{.destination = order.destination};
  PUNA_TRY(const auto companions, add_companions(detail, context, cargo, out.note));
  PUNA_TRY(const auto published, publish(cargo, detail.model.provenance, context));
  Bytes size;
  for (const auto& file : cargo.files) size += file.size;
  out.url = published.url;
  out.commit = published.commit;
  out.size = static_cast<std::int64_t>(size.count);
  out.sent = static_cast<std::int64_t>(published.sent.count);
  out.change = published.created ? wire::PushChange::created : published.changed ? wire::PushChange::updated : wire::PushChange::unchanged;
  return json::encode(out);
}

}  // namespace puna::hub::publish
