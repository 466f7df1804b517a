#include "hub/publish/card.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace puna::hub::publish {
namespace {

// What may stand in YAML without quotes.
bool is_plain(std::string_view text) {
  return !text.empty() && text.size() <= 100 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '/';
  });
}

// The repository that the weights stem from, when it is known and another one.
std::string origin_of(const Reference& destination, const wire::Provenance& provenance) {
  const auto repository = provenance.repository.value_or("");
  const bool known = provenance.catalogue == kHuggingFace && is_plain(repository) && repository != destination.repository;
  return known ? repository : std::string();
}

bool embeds(const wire::ModelDetails& details) {
  return std::ranges::find(details.capabilities, "embedding") != details.capabilities.end();
}

}  // namespace

std::string make_card(const Reference& destination, const wire::ModelDetail& model, const std::vector<CargoFile>& files) {
  const auto& details = model.model.details;
  const auto origin = origin_of(destination, model.model.provenance);
  std::string out = "---\n";
  if (const auto licence = lower_ascii(details.licence.value_or("")); is_plain(licence)) out += fmt::format("license: {}\n", licence);
  if (!origin.empty()) out += fmt::format("base_model: {}\n", origin);
  out += fmt::format("pipeline_tag: {}\n", embeds(details) ? "feature-extraction" : "text-generation");
  out += "tags:\n- gguf\n- puna\n---\n\n";

  const auto slash = destination.repository.find('/');
  out += fmt::format("# {}\n\n", destination.repository.substr(slash == std::string::npos ? 0 : slash + 1));
  out += fmt::format("A {} model in GGUF, {}", printable(details.architecture.empty() ? "language" : details.architecture),
                     printable(details.quantization.empty() ? "unquantized" : details.quantization));
  if (details.context_length > 0) out += fmt::format(", for a context of up to {} tokens", details.context_length);
  out += origin.empty() ? ".\n" : fmt::format(", made from [{0}](https://huggingface.co/{0}).\n", origin);

  out += "\n| file | size |\n|---|---|\n";
  for (const auto& file : files)
    if (file.role == wire::FileRole::weights || file.role == wire::FileRole::projector || file.role == wire::FileRole::adapter)
      out += fmt::format("| `{}` | {} |\n", printable(file.path), format_bytes(file.size));

  out += fmt::format("\n## Use it\n\n```sh\npuna run {}\n```\n\nor with any program that reads GGUF files.\n", destination.shown());
  return out;
}

}  // namespace puna::hub::publish
