#include "hub/listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "os/safe_path.h"

namespace puna::hub {
namespace {

using wire::FileRole;

constexpr std::size_t kLongestPath = 1024;

std::string_view name_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

bool is_one_of(std::string_view name, std::span<const std::string_view> known) {
  return std::ranges::find(known, name) != known.end();
}

bool is_tokenizer(std::string_view name) {
  constexpr auto kNames = std::to_array<std::string_view>({"tokenizer.json", "tokenizer.model", "tokenizer_config.json", "vocab.json",
                                                           "vocab.txt", "merges.txt", "special_tokens_map.json", "added_tokens.json",
                                                           "tekken.json", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model.v3"});
  return is_one_of(name, kNames);
}

bool is_config(std::string_view name) {
  constexpr auto kNames = std::to_array<std::string_view>({"config.json", "generation_config.json", "preprocessor_config.json",
                                                           "processor_config.json", "video_preprocessor_config.json",
                                                           "quantize_config.json", "quantization_config.json", "adapter_config.json"});
  return is_one_of(name, kNames) || name.ends_with(".safetensors.index.json");
}

FileRole role_of_gguf(std::string_view name) {
  if (name.contains("mmproj")) return FileRole::projector;
  if (name.contains("imatrix")) return FileRole::other;
  return FileRole::weights;
}

bool is_safe(std::string_view path) {
  if (path.empty() || path.size() > kLongestPath) return false;
  return std::ranges::all_of(split(path, '/'), [](std::string_view part) { return os::check_file_name(part).has_value(); });
}

}  // namespace

FileRole role_of(std::string_view path) {
  const std::string name = lower_ascii(name_of(path));
  if (name.ends_with(".gguf")) return role_of_gguf(name);
  if (name.ends_with(".safetensors")) return name.starts_with("adapter_model") ? FileRole::adapter : FileRole::weights;
  if (is_tokenizer(name)) return FileRole::tokenizer;
  if (is_config(name)) return FileRole::config;
  if (name == "chat_template.jinja" || name == "chat_template.json" || name == "template") return FileRole::chat_template;
  if (name == "system") return FileRole::system;
  if (name == "params") return FileRole::parameters;
  if (name == "readme.md") return FileRole::card;
  if (name.starts_with("license") || name.starts_with("licence") || name == "notice" || name == "use_policy.md") return FileRole::licence;
  return FileRole::other;
}

void add_checked(Listing& listing, ListedFile file) {
  if (is_safe(file.path))
    listing.files.push_back(std::move(file));
  else
    ++listing.unsafe_names;
}

std::string repository_text(const Reference& reference) {
  return reference.host.empty() ? reference.repository : fmt::format("{}/{}", reference.host, reference.repository);
}

std::string digest_text(const transfer::Digest& digest) {
  return fmt::format("{}:{}", digest.algorithm == transfer::Algorithm::sha256 ? "sha256" : "git-sha1", digest.hex);
}

}  // namespace puna::hub
