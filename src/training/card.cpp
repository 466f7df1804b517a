#include "training/card.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/json.h"
#include "base/text.h"
#include "wire/tune_scores.h"

namespace puna::training {
namespace {

// As plain text in Markdown, also inside a table.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    if (std::string_view("\\`*_[]<>|#&!").contains(c)) out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

// What may stand in YAML without quotes.
bool is_plain_word(std::string_view text) {
  return !text.empty() && text.size() <= 100 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '/';
  });
}

std::string metadata_of(const wire::ModelDetail& base) {
  const auto& from = base.model.provenance;
  std::string out = "---\n";
  if (from.catalogue == "huggingface" && is_plain_word(from.repository.value_or("")))
    out += fmt::format("base_model: {}\nbase_model_relation: adapter\n", *from.repository);
  if (const auto licence = lower_ascii(base.model.details.licence.value_or("")); is_plain_word(licence))
    out += fmt::format("license: {}\n", licence);
  return out + "pipeline_tag: text-generation\ntags:\n- lora\n- gguf\n- puna\n---\n\n";
}

std::string data_names(const wire::TuneRequest& request) {
  std::string out;
  for (const auto& path : request.data) out += (out.empty() ? "" : ", ") + plain(std::filesystem::path(path).filename().string());
  return out;
}

std::string settings_table(const wire::TuneSettings& settings) {
  std::string out = "\n| setting | value |\n|---|---|\n";
  const auto fields = json::encode(settings);
  for (const auto& field : fields.as_object()) {
    const auto text = field.value().is_string() ? std::string(std::string_view(field.value().get_string())) : json::to_text(field.value());
    out += fmt::format("| {} | {} |\n", plain(field.key()), plain(text));
  }
  return out;
}

std::string scores_table(const wire::TuneReport& report) {
  std::string out = fmt::format("\nOn {} rows that were not trained:\n\n| score | base | tuned |\n|---|---|---|\n", report.rows);
  for (const auto& kind : wire::kTuneScores)
    if (report.before.*kind.value && report.after.*kind.value)
      out +=
          fmt::format("| {} | {} | {} |\n", kind.name, wire::score_text(report.before, kind, ""), wire::score_text(report.after, kind, ""));
  return out;
}

}  // namespace

std::string make_card(const wire::TuneOrder& order, const wire::TuneResult& result, const wire::ModelDetail& base) {
  const auto& request = order.request;
  std::string out = metadata_of(base);
  out += fmt::format("# {}\n\nA LoRA adapter for {} ({}, {}), trained with Puna {}: {} steps, {:.3g} epochs", plain(order.name),
                     plain(request.model), plain(base.model.details.architecture), plain(base.model.details.quantization),
                     plain(order.version), result.steps, result.epochs);
  if (const auto names = data_names(request); !names.empty()) out += " of " + names;
  out += ".\n\n## Use it\n\n";
  out += fmt::format("```sh\npuna run {}\nllama-cli -m BASE.gguf --lora {}.gguf\n```\n\n", printable(result.serves), printable(order.name));
  out += "The base must be the same model; the adapter alone says nothing.\n\n## How it was trained\n";
  out += settings_table(order.settings.value_or(request.settings.value_or(wire::TuneSettings{})));
  if (result.report && result.report->rows > 0) out += "\n## How good it is\n" + scores_table(*result.report);
  return out;
}

}  // namespace puna::training
