// Ollama's store: manifests/HOST/NAMESPACE/MODEL/TAG name layers, and blobs/sha256-… are their bytes.

#include <array>

#include "base/json.h"
#include "model/stores/registry.h"

namespace puna::model {
namespace {

namespace fs = std::filesystem;
using wire::FileRole;

constexpr std::string_view kRegistry = "registry.ollama.ai";
constexpr std::string_view kMediaPrefix = "application/vnd.ollama.image.";

struct Layer {
  std::string mediaType;  // NOLINT(readability-identifier-naming): the manifest's word
  std::string digest;
};
BOOST_DESCRIBE_STRUCT(Layer, (), (mediaType, digest))
struct Manifest {
  std::vector<Layer> layers;
};
BOOST_DESCRIBE_STRUCT(Manifest, (), (layers))

std::vector<fs::path> roots(const StorePlaces& places) {
  const auto& environment = places.environment;
  if (const auto set = environment.find("OLLAMA_MODELS"); set != environment.end() && !set->second.empty()) return {set->second};
  std::vector<fs::path> out;
  if (const auto home = environment.find("HOME"); home != environment.end()) out.push_back(fs::path(home->second) / ".ollama" / "models");
  out.emplace_back("/usr/share/ollama/.ollama/models");  // where the service of the Linux installer keeps them
  return out;
}

FileRole role_of(std::string_view kind) {
  struct Row {
    std::string_view kind;
    FileRole role;
  };
  constexpr std::array kRows = {Row{"model", FileRole::weights},     Row{"projector", FileRole::projector},
                                Row{"adapter", FileRole::adapter},   Row{"template", FileRole::chat_template},
                                Row{"system", FileRole::system},     Row{"params", FileRole::parameters},
                                Row{"messages", FileRole::messages}, Row{"license", FileRole::licence}};
  for (const auto& row : kRows)
    if (row.kind == kind) return row.role;
  return FileRole::other;
}

// What `ollama list` prints.
std::string shown_name(const std::string& host, const std::string& space, const std::string& model, const std::string& tag) {
  std::string out = model + ":" + tag;
  if (host != kRegistry) return host + "/" + space + "/" + out;
  return space == "library" ? out : space + "/" + out;
}

// "sha256:…" as the hexadecimal digits; empty for anything else, so that no digest is a path.
std::string hex_of(std::string_view digest) {
  if (digest.size() != 71 || !digest.starts_with("sha256:") || digest.find_first_not_of("0123456789abcdef", 7) != std::string_view::npos)
    return {};
  return std::string(digest.substr(7));
}

void add_layer(const StoreScan& scan, const Layer& layer, FoundModel& model) {
  if (!layer.mediaType.starts_with(kMediaPrefix)) return;
  const auto kind = layer.mediaType.substr(kMediaPrefix.size());
  const auto hex = hex_of(layer.digest);
  std::string problem;
  auto file = hex.empty() ? std::nullopt : scan.file(scan.root() / "blobs" / ("sha256-" + hex), problem);
  if (!file) {
    if (!model.problem) model.problem = hex.empty() ? "its manifest names no SHA-256" : problem;
    return;
  }
  file->role = role_of(kind);
  file->path = kind;
  file->sha256 = hex;
  if (file->role == FileRole::weights)
    model.files.insert(model.files.begin(), std::move(*file));
  else
    model.files.push_back(std::move(*file));
}

void scan_manifest(StoreScan& scan, const fs::path& place, std::string name, std::string repository, std::string tag) {
  const auto text = scan.text(place);
  if (!text) return;
  FoundModel model{.name = std::move(name),
                   .files = {},
                   .provenance = {.catalogue = "ollama", .repository = std::move(repository), .revision = std::move(tag)}};
  const auto manifest = json::decode_text<Manifest>(*text, json::Unknown::ignore);
  if (!manifest) {
    model.problem = "its manifest " + place.string() + " is malformed";
  } else {
    for (const auto& layer : manifest->layers) add_layer(scan, layer, model);
    // A model of a cloud has no weights here, and a model in many tensor files cannot be run by llama.cpp.
    if (!model.problem && (model.files.empty() || model.files.front().role != FileRole::weights)) return;
  }
  scan.add(std::move(model));
}

void scan_store(StoreScan& scan) {
  const auto manifests = scan.root() / "manifests";
  scan.watch(scan.root());
  for (const auto& host : scan.names_in(manifests))
    for (const auto& space : scan.names_in(manifests / host))
      for (const auto& model : scan.names_in(manifests / host / space))
        for (const auto& tag : scan.names_in(manifests / host / space / model))
          scan_manifest(scan, manifests / host / space / model / tag, shown_name(host, space, model, tag),
                        (host == kRegistry ? "" : host + "/") + space + "/" + model, tag);
  for (const auto& blob : scan.names_in(scan.root() / "blobs"))
    if (blob.find("-partial") != std::string::npos) scan.add_partial(scan.root() / "blobs" / blob);
}

}  // namespace

constinit const StoreSpec kOllamaStore{.key = "ollama", .owner = "Ollama", .removal = "ollama rm NAME", .roots = roots, .scan = scan_store};

}  // namespace puna::model
