#include "model/stores/grouping.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>

#include "base/text.h"
#include "model/quantization_name.h"

namespace puna::model {
namespace {

using wire::FileRole;

bool is_gguf(std::string_view name) {
  return lower_ascii(name).ends_with(".gguf");
}
bool is_safetensors_name(std::string_view name) {
  return lower_ascii(name).ends_with(".safetensors");
}

FileRole role_of(std::string_view path) {
  const std::string name = lower_ascii(std::filesystem::path(path).filename().string());
  if (is_gguf(name)) return name.find("mmproj") != std::string::npos ? FileRole::projector : FileRole::weights;
  if (is_safetensors_name(name)) return FileRole::weights;
  if (name == "readme.md") return FileRole::card;
  if (name.starts_with("license") || name.starts_with("licence")) return FileRole::licence;
  if (name == "chat_template.jinja") return FileRole::chat_template;
  constexpr std::array<std::string_view, 7> kTokenizer = {"tokenizer.json", "tokenizer_config.json",   "vocab.json",     "vocab.txt",
                                                          "merges.txt",     "special_tokens_map.json", "tokenizer.model"};
  if (std::ranges::find(kTokenizer, name) != kTokenizer.end()) return FileRole::tokenizer;
  constexpr std::array<std::string_view, 3> kConfig = {"config.json", "generation_config.json", "model.safetensors.index.json"};
  if (std::ranges::find(kConfig, name) != kConfig.end()) return FileRole::config;
  return FileRole::other;
}

std::string folder_of(const FoundFile& file) {
  return std::filesystem::path(file.path).parent_path().string();
}

// The nearest one: beside the model, else in the group's own folder.
const FoundFile* projector_for(const FoundFile& weights, const std::vector<FoundFile>& projectors) {
  for (const auto& folder : {folder_of(weights), std::string()})
    for (const auto& projector : projectors)
      if (folder_of(projector) == folder) return &projector;
  return nullptr;
}

// Files of one split model, by the name that they share.
std::string set_key(const FoundFile& file) {
  const auto name = std::filesystem::path(file.path).filename().string();
  const auto number = part_of(name);
  return fmt::format("{}/{}{}", folder_of(file), stem_of(name), number ? fmt::format(" of {}", number->count) : std::string());
}

bool is_whole(const std::vector<FoundFile>& parts) {
  const auto first = part_of(std::filesystem::path(parts.front().path).filename().string());
  return !first || first->count == parts.size();
}

// The tag is the quantization; of models that would be called alike, all but the first are called after their file.
class Names {
 public:
  explicit Names(std::string base) : base_(std::move(base)) {}
  std::string next(std::string_view path) {
    const auto file = std::filesystem::path(path).filename().string();
    const auto stem = std::string(stem_of(file));
    const auto quantization = quantization_in(file);
    std::string name = base_.empty() ? std::string(without_quantization(stem)) : base_;
    if (quantization || !base_.empty()) name += ":" + quantization.value_or(stem);
    if (!taken_.insert(lower_ascii(name)).second) name = base_.empty() ? stem : base_ + ":" + stem;
    return name;
  }

 private:
  const std::string base_;
  std::set<std::string> taken_;
};

void add_gguf(StoreScan& scan, FileGroup& group, bool partial) {
  std::map<std::string, std::vector<FoundFile>> sets;
  std::vector<FoundFile> projectors;
  for (auto& file : group.files) {
    if (!is_gguf(file.path)) continue;
    file.role = role_of(file.path);
    if (file.role == FileRole::projector)
      projectors.push_back(file);
    else
      sets[set_key(file)].push_back(file);
  }
  Names names(group.base);
  for (auto& [key, parts] : sets) {
    if (partial && !is_whole(parts)) continue;
    FoundModel model{.files = std::move(parts), .provenance = group.provenance};
    std::ranges::sort(model.files, {}, &FoundFile::path);
    if (const auto* projector = projector_for(model.files.front(), projectors)) model.files.push_back(*projector);
    model.name = names.next(model.files.front().path);
    scan.add(std::move(model));
  }
  for (auto& broken : group.broken)
    if (is_gguf(broken.path) || is_safetensors_name(broken.path))
      scan.add({.name = names.next(broken.path), .files = {}, .provenance = group.provenance, .problem = std::move(broken.problem)});
}

void add_safetensors(StoreScan& scan, const FileGroup& group, bool partial) {
  FoundModel model{.name = group.base, .files = {}, .provenance = group.provenance};
  std::size_t weights = 0;
  for (auto file : group.files) {
    if (is_gguf(file.path) || !folder_of(file).empty()) continue;
    file.role = role_of(file.path);
    weights += file.role == FileRole::weights ? 1 : 0;
    model.files.push_back(std::move(file));
  }
  if (weights == 0) return;
  if (model.name.empty()) model.name = model.files.front().place.parent_path().filename().string();
  std::ranges::sort(model.files, {}, [](const FoundFile& file) { return std::pair(file.role != FileRole::weights, file.path); });
  const auto number = part_of(model.files.front().path);
  if (number && number->count != weights) {
    if (partial) return;
    model.problem = fmt::format("{} of its {} files of weights are here", weights, number->count);
  }
  scan.add(std::move(model));
}

}  // namespace

bool is_model_file(std::string_view file_name) {
  return role_of(file_name) != FileRole::other && lower_ascii(file_name).find("imatrix") == std::string::npos;
}

void add_models(StoreScan& scan, FileGroup group, bool partial) {
  add_gguf(scan, group, partial);
  add_safetensors(scan, group, partial);
}

}  // namespace puna::model
