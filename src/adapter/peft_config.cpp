#include "adapter/peft_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "base/text.h"

namespace puna::adapter {
namespace {

std::string_view part_of(tune::Target target) {
  return target < tune::Target::ffn_gate || target == tune::Target::attn_qkv ? "self_attn" : "mlp";
}

std::string_view peft_name(tune::Target target) {
  return tune::target_names()[static_cast<std::size_t>(target)].peft;
}

// Short names where all layers have the module, else full ones.
std::vector<std::string> target_modules(std::span<const tune::LoraPair> pairs, std::size_t layers) {
  std::map<tune::Target, std::size_t> counts;
  for (const auto& pair : pairs) ++counts[pair.target];
  std::set<std::string> out;
  for (const auto& pair : pairs) out.insert(counts[pair.target] == layers ? std::string(peft_name(pair.target)) : peft_module(pair));
  return {out.begin(), out.end()};
}

// What PEFT writes, as far as it says something here.
struct Members {
  std::string peft_type;
  std::optional<double> lora_alpha;
  std::optional<bool> use_rslora;
  std::optional<bool> use_dora;
  std::optional<bool> fan_in_fan_out;
  std::optional<std::map<std::string, double>> alpha_pattern;
};
BOOST_DESCRIBE_STRUCT(Members, (), (peft_type, lora_alpha, use_rslora, use_dora, fan_in_fan_out, alpha_pattern))

// PEFT takes the keys of its patterns as regular expressions. Names of modules are, with or without "\." for a dot and "^" in front.
Result<std::string> module_end(std::string_view pattern) {
  std::string out;
  for (std::size_t i = pattern.starts_with('^') ? 1 : 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size() && pattern[i + 1] == '.') continue;
    if (std::string_view("\\*+?()[]{}|^$").contains(pattern[i]))
      return fail(Code::unsupported,
                  fmt::format("its alpha_pattern '{}' is a regular expression; names of modules can be read", printable(pattern)));
    out += pattern[i];
  }
  return out;
}

bool ends_with_module(std::string_view name, std::string_view end) {
  return name == end || (name.ends_with(end) && name[name.size() - end.size() - 1] == '.');
}

}  // namespace

std::string peft_module(const tune::LoraPair& pair) {
  return fmt::format("model.layers.{}.{}.{}", pair.layer, part_of(pair.target), peft_name(pair.target));
}

json::object make_peft_config(std::span<const tune::LoraPair> pairs, std::size_t layers, const std::string& base_model) {
  const auto alpha = [](const tune::LoraPair& pair) { return static_cast<double>(pair.scale) * static_cast<double>(pair.rank); };
  const std::size_t rank = pairs.empty() ? 1 : pairs.front().rank;
  const double main_alpha = pairs.empty() ? 1 : alpha(pairs.front());
  json::object ranks;
  json::object alphas;
  for (const auto& pair : pairs) {
    if (pair.rank != rank) ranks[peft_module(pair)] = pair.rank;
    if (alpha(pair) != main_alpha) alphas[peft_module(pair)] = alpha(pair);
  }
  return {{"base_model_name_or_path", base_model.empty() ? json::value(nullptr) : json::value(base_model)},
          {"bias", "none"},
          {"fan_in_fan_out", false},
          {"inference_mode", true},
          {"init_lora_weights", true},
          {"layers_pattern", nullptr},
          {"layers_to_transform", nullptr},
          {"lora_alpha", main_alpha},
          {"lora_dropout", 0.0},
          {"modules_to_save", nullptr},
          {"peft_type", "LORA"},
          {"r", rank},
          {"rank_pattern", ranks},
          {"alpha_pattern", alphas},
          {"revision", nullptr},
          {"target_modules", json::encode(target_modules(pairs, layers))},
          {"task_type", "CAUSAL_LM"},
          {"use_dora", false},
          {"use_rslora", false}};
}

Result<PeftConfig> PeftConfig::parse(std::string_view text) {
  PUNA_TRY(const auto members, json::decode_text<Members>(text, json::Unknown::ignore));
  if (members.peft_type != "LORA")
    return fail(Code::unsupported, fmt::format("it is an adapter of PEFT's kind '{}'; LORA can be read", printable(members.peft_type)));
  if (members.use_dora.value_or(false))
    return fail(Code::unsupported, "it is a DoRA (use_dora), which llama.cpp does not load; merge it where it was trained");
  if (members.fan_in_fan_out.value_or(false)) return fail(Code::unsupported, "its matrices are transposed (fan_in_fan_out)");
  PeftConfig out;
  if (!members.lora_alpha || !std::isfinite(*members.lora_alpha)) return fail(Code::corrupt_data, "it does not say its lora_alpha");
  out.alpha_ = *members.lora_alpha;
  out.rank_stabilized_ = members.use_rslora.value_or(false);
  if (members.alpha_pattern) {
    for (const auto& [pattern, alpha] : *members.alpha_pattern) {
      PUNA_TRY(auto end, module_end(pattern));
      out.alphas_.insert_or_assign(std::move(end), alpha);
    }
  }
  return out;
}

Result<float> PeftConfig::scale(std::string_view module, std::size_t rank) const {
  const auto found = std::ranges::find_if(alphas_, [&](const auto& entry) { return ends_with_module(module, entry.first); });
  const double alpha = found == alphas_.end() ? alpha_ : found->second;
  const auto divisor = static_cast<double>(rank);
  return static_cast<float>(alpha / (rank_stabilized_ ? std::sqrt(divisor) : divisor));
}

}  // namespace puna::adapter
