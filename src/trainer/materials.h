// What a run works with: the base, the words it has for text, the rows.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "dataset/dataset.h"
#include "inference/chat_template.h"
#include "inference/vocabulary.h"
#include "trainer/rows.h"
#include "trainer/teller.h"
#include "tune/model.h"
#include "wire/tune_order.h"

namespace puna::trainer {

// run.json.
[[nodiscard]] Result<wire::TuneOrder> read_order(const std::filesystem::path& folder);
[[nodiscard]] Result<> write_order(const std::filesystem::path& folder, const wire::TuneOrder& order);

// The base, mapped; Code::unsupported says why it cannot be trained, and what can. Settings that do not fit it are
// Code::invalid_argument: targets that it has not.
[[nodiscard]] Result<tune::Model> open_base(const wire::TuneOrder& order);
// The rows as they are, without tokens. Code::invalid_argument when they cannot be trained on.
[[nodiscard]] Result<dataset::Dataset> open_rows(const wire::TuneOrder& order, const std::filesystem::path& folder, Teller& teller,
                                                 const std::stop_token& stop);
// Complete but for what only counting tokens can tell.
[[nodiscard]] Result<wire::TuneSettings> settings_for(const wire::TuneOrder& order, const dataset::Dataset& rows);

class Materials {
 public:
  // Opens all of it and counts the tokens of every row. A run that goes on finds the same rows as when it began, or Code::conflict.
  [[nodiscard]] static Result<std::unique_ptr<Materials>> open(const wire::TuneOrder& order, const std::filesystem::path& folder,
                                                               Teller& teller, const std::stop_token& stop);

  [[nodiscard]] const wire::TuneOrder& order() const { return order_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  // Complete, with context.
  [[nodiscard]] const wire::TuneSettings& settings() const { return settings_; }
  [[nodiscard]] std::size_t context() const { return static_cast<std::size_t>(*settings_.context); }
  [[nodiscard]] wire::TuneMethod method() const { return method_; }
  [[nodiscard]] const tune::Model& model() const { return model_; }
  [[nodiscard]] const inference::Vocabulary& vocabulary() const { return vocabulary_; }
  [[nodiscard]] const inference::ChatTemplate& chat_template() const { return template_; }
  [[nodiscard]] const dataset::Dataset& data() const { return *data_; }
  [[nodiscard]] const RowRenderer& renderer() const { return *renderer_; }

 private:
  Materials(std::filesystem::path folder, wire::TuneOrder order, wire::TuneSettings settings, wire::TuneMethod method, tune::Model model,
            inference::Vocabulary vocabulary, inference::ChatTemplate chat_template)
      : folder_(std::move(folder)),
        order_(std::move(order)),
        settings_(std::move(settings)),
        method_(method),
        model_(std::move(model)),
        vocabulary_(std::move(vocabulary)),
        template_(std::move(chat_template)) {}
  [[nodiscard]] Result<> count(Teller& teller, const std::stop_token& stop);
  void choose_context();

  std::filesystem::path folder_;
  wire::TuneOrder order_;
  wire::TuneSettings settings_;
  wire::TuneMethod method_;
  tune::Model model_;
  inference::Vocabulary vocabulary_;
  inference::ChatTemplate template_;
  std::optional<dataset::Dataset> data_;
  std::unique_ptr<RowRenderer> renderer_;
};

}  // namespace puna::trainer
