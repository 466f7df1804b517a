// For tests: rows of data as a small model would be trained with them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dataset/dataset_testing.h"
#include "inference/inference_testing.h"
#include "trainer/rows.h"

namespace puna::trainer {

// The small model with a template of inference_testing.h.
class RowBench {
 public:
  explicit RowBench(std::string_view sample = "marked turns", const RowOptions& options = {});
  // `json` is one row of a data set, read with the renderer's options.
  [[nodiscard]] dataset::Row row(std::string_view json) const;
  [[nodiscard]] Result<RenderedRow> render(std::string_view json) const { return renderer_.render(row(json)); }
  // The texts of all rows; what is trained stands in ⟦ ⟧.
  [[nodiscard]] std::vector<std::string> texts(std::string_view json) const;
  [[nodiscard]] std::string text(const tune::TokenRow& row) const;

  [[nodiscard]] const inference::SmallModel& model() const { return model_; }
  [[nodiscard]] const inference::Vocabulary& vocabulary() const { return vocabulary_; }
  [[nodiscard]] const inference::ChatTemplate& chat_template() const { return template_; }
  [[nodiscard]] const RowRenderer& renderer() const { return renderer_; }
  [[nodiscard]] const dataset::DataFolder& folder() const { return folder_; }
  [[nodiscard]] dataset::Options data_options() const;

 private:
  inference::SmallModel model_;
  inference::Vocabulary vocabulary_;
  inference::ChatTemplate template_;
  RowOptions options_;
  RowRenderer renderer_;
  dataset::DataFolder folder_;
};

}  // namespace puna::trainer
