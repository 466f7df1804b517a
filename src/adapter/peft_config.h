// adapter_config.json: what PEFT says of a LoRA beside its numbers.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "tune/adapter.h"

namespace puna::adapter {

// "q_proj" of layer 3 is "model.layers.3.self_attn.q_proj" in transformers.
[[nodiscard]] std::string peft_module(const tune::LoraPair& pair);

// What gives each pair its place and scale again. `layers` is how many the model has.
[[nodiscard]] json::object make_peft_config(std::span<const tune::LoraPair> pairs, std::size_t layers, const std::string& base_model);

class PeftConfig {
 public:
  // Code::unsupported for what is no plain LoRA, with the member that says so.
  [[nodiscard]] static Result<PeftConfig> parse(std::string_view text);

  // By which B A is multiplied; `module` as peft_module() names it.
  [[nodiscard]] Result<float> scale(std::string_view module, std::size_t rank) const;

 private:
  double alpha_ = 0;
  bool rank_stabilized_ = false;
  std::map<std::string, double> alphas_;  // by the ends of modules' names
};

}  // namespace puna::adapter
