// For tests: chat templates of every kind there is, and a worker that says what it makes of a conversation.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "inference/vocabulary.h"
#include "os/temporary_folder.h"

namespace puna::worker::testing {
class RunningWorker;
}

namespace puna::inference {

struct TemplateSample {
  std::string_view name;
  std::string_view source;
};
// Small ones, each with a trait of templates that people use.
[[nodiscard]] std::span<const TemplateSample> template_samples();
[[nodiscard]] std::string sample_template(std::string_view name);

// A model of a few hundred kilobytes in a folder of its own.
class SmallModel {
 public:
  SmallModel();
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  [[nodiscard]] std::filesystem::path write(const std::string& name, std::string_view text) const;

 private:
  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  std::filesystem::path file_ = folder_.path() / "tiny.gguf";
};

// SmolLM2-135M-Instruct, where `./dev setup` put it.
[[nodiscard]] std::optional<std::filesystem::path> real_model();

// `puna worker` with that model and, unless it is empty, that chat template.
class Served {
 public:
  explicit Served(const std::filesystem::path& model, const std::filesystem::path& chat_template = {});
  ~Served();
  // What a chat with these messages is answered from; empty when the server refuses it.
  [[nodiscard]] std::string prompt(const json::array& messages, const json::array& tools = {}) const;
  [[nodiscard]] std::vector<Token> tokens(std::string_view prompt) const;

 private:
  std::unique_ptr<worker::testing::RunningWorker> worker_;
};

[[nodiscard]] json::array parsed_array(std::string_view text);

}  // namespace puna::inference
