#include "hub/choice/variants.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "model/quantization_name.h"

namespace puna::hub {
namespace {

using wire::FileRole;

std::string_view folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}
std::string_view name_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

bool is_gguf(const ListedFile& file) {
  return lower_ascii(file.path).ends_with(".gguf");
}

// "draft-model.gguf", "mtp-….gguf": helps another model to be fast, and is none by itself.
bool is_companion_model(std::string_view path) {
  const std::string name = lower_ascii(name_of(path));
  return name.starts_with("draft") || name.contains("-draft-") || name.contains("-draft.") || name.starts_with("mtp-") ||
         name.contains("-eagle3");
}

// How far apart two folders are: steps up and down between them.
std::size_t distance(std::string_view a, std::string_view b) {
  const auto left = split(a, '/'), right = split(b, '/');
  std::size_t same = 0;
  while (same < left.size() && same < right.size() && left[same] == right[same]) ++same;
  const auto depth = [](const auto& parts) { return parts.size() == 1 && parts[0].empty() ? 0 : parts.size(); };
  if (depth(left) == 0 || depth(right) == 0) return depth(left) + depth(right);
  return left.size() + right.size() - 2 * same;
}

int precision_rank(const ListedFile& projector) {
  const auto name = model::quantization_in(projector.path);
  if (name == "F16") return 0;
  if (name == "BF16") return 1;
  if (name == "Q8_0") return 2;
  return name == "F32" ? 3 : 4;
}

const ListedFile* nearest_projector(const Listing& listing, std::string_view folder) {
  const ListedFile* best = nullptr;
  const auto rank = [&](const ListedFile& file) { return std::pair(distance(folder, folder_of(file.path)), precision_rank(file)); };
  for (const auto& file : listing.files)
    if (file.role == FileRole::projector && (!best || rank(file) < rank(*best))) best = &file;
  return best;
}

// What Ollama's bridge reads beside a GGUF; it applies to every model of the repository.
bool comes_with_gguf(const ListedFile& file) {
  return (file.role == FileRole::system || file.role == FileRole::parameters ||
          (file.role == FileRole::chat_template && name_of(file.path) == "template")) &&
         folder_of(file.path).empty();
}

Variant gguf_variant(const Listing& listing, std::string_view stem, std::vector<const ListedFile*> files) {
  Variant out{.format = "gguf"};
  const std::string path = files.front()->path;
  out.name = model::quantization_in(path).value_or(std::string(name_of(stem)));
  std::ranges::sort(files, {}, &ListedFile::path);
  std::size_t count = 1;
  std::vector<std::string> missing;
  if (const auto part = model::part_of(path)) {
    count = part->count;
    for (std::size_t number = 1; number <= count; ++number)
      if (std::ranges::none_of(files, [&](const ListedFile* file) { return model::part_of(file->path)->number == number; }))
        missing.push_back(std::to_string(number));
  }
  out.parts = count;
  if (!missing.empty()) out.problem = fmt::format("of its {} parts, number {} is not there", count, join(missing, ", "));
  for (const auto* file : files) out.files.push_back(*file);
  if (const auto* projector = nearest_projector(listing, folder_of(path))) out.files.push_back(*projector);
  for (const auto& file : listing.files)
    if (comes_with_gguf(file)) out.files.push_back(file);
  return out;
}

// Weights in one folder, such as "" or "fp16"; other formats' copies ("original/", "consolidated…") are not the model's.
Variant safetensors_variant(const Listing& listing, std::string_view folder, const std::vector<const ListedFile*>& weights) {
  Variant out{.name = folder.empty() ? "safetensors" : std::string(folder), .format = "safetensors"};
  for (const auto* file : weights) out.files.push_back(*file);
  out.parts = out.files.size();
  if (const auto part = model::part_of(out.files.front().path); part && part->count != out.files.size()) {
    out.parts = part->count;
    out.problem = fmt::format("of its {} parts {} are there", part->count, out.files.size());
  }
  for (const auto& file : listing.files) {
    const bool wanted = file.role == FileRole::config || file.role == FileRole::tokenizer || file.role == FileRole::chat_template ||
                        file.role == FileRole::licence || file.role == FileRole::card;
    if (wanted && folder_of(file.path) == folder) out.files.push_back(file);
  }
  return out;
}

bool is_weights_of_safetensors(const ListedFile& file) {
  const std::string name = lower_ascii(name_of(file.path));
  return file.role == FileRole::weights && name.ends_with(".safetensors") && !name.starts_with("consolidated") &&
         !folder_of(file.path).starts_with("original");
}

}  // namespace

std::span<const ListedFile> Variant::weights() const {
  const auto end = std::ranges::find_if(files, [](const ListedFile& file) { return file.role != FileRole::weights; });
  return {files.begin(), end};
}

std::optional<Bytes> Variant::size() const {
  Bytes sum;
  for (const auto& file : files) {
    if (!file.size) return std::nullopt;
    sum += *file.size;
  }
  return sum;
}

std::vector<Variant> variants_of(const Listing& listing) {
  std::map<std::string, std::vector<const ListedFile*>> gguf, safetensors;
  for (const auto& file : listing.files) {
    if (file.role == FileRole::weights && is_gguf(file) && !is_companion_model(file.path)) {
      const auto part = model::part_of(file.path);
      // A set is one thing only with its own count: a repository may hold the same model cut twice.
      gguf[fmt::format("{}{}", model::stem_of(file.path), part ? fmt::format("\n{}", part->count) : "")].push_back(&file);
    } else if (is_weights_of_safetensors(file)) {
      safetensors[std::string(folder_of(file.path))].push_back(&file);
    }
  }
  std::vector<Variant> out;
  for (const auto& [stem, files] : gguf) out.push_back(gguf_variant(listing, stem.substr(0, stem.find('\n')), files));
  for (auto& [folder, files] : safetensors) {
    std::ranges::sort(files, {}, &ListedFile::path);
    out.push_back(safetensors_variant(listing, folder, files));
  }
  std::ranges::sort(out, {}, [](const Variant& variant) {
    return std::tuple(variant.format != "gguf", variant.size().value_or(Bytes()), std::string_view(variant.files.front().path));
  });
  return out;
}

}  // namespace puna::hub
