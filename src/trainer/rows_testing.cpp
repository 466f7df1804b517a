#include "trainer/rows_testing.h"

#include <gtest/gtest.h>

namespace puna::trainer {

RowBench::RowBench(std::string_view sample, const RowOptions& options)
    : vocabulary_(inference::Vocabulary::open(model_.file()).value()),
      template_(inference::ChatTemplate::create(vocabulary_, inference::sample_template(sample)).value()),
      options_(options),
      renderer_(vocabulary_, template_, options) {}

dataset::Options RowBench::data_options() const {
  dataset::Options out;
  out.method = options_.method;
  if (options_.method == wire::TuneMethod::sft) out.train_on = options_.train_on;
  return out;
}

dataset::Row RowBench::row(std::string_view json) const {
  auto rows = folder_.rows("row.jsonl", std::string(json) + "\n", data_options());
  EXPECT_EQ(rows.size(), 1U) << json;
  return rows.empty() ? dataset::Row() : std::move(rows.front());
}

std::string RowBench::text(const tune::TokenRow& row) const {
  std::string out;
  bool inside = false;
  for (std::size_t i = 0; i < row.tokens.size(); ++i) {
    const bool trained = row.weights[i] > 0;
    if (trained != inside) out += trained ? "⟦" : "⟧";
    inside = trained;
    out += vocabulary_.piece(row.tokens[i]);
  }
  return inside ? out + "⟧" : out;
}

std::vector<std::string> RowBench::texts(std::string_view json) const {
  const auto rendered = render(json);
  EXPECT_TRUE(rendered) << rendered.error().text();
  std::vector<std::string> out;
  if (rendered)
    for (const auto& one : rendered->rows) out.push_back(text(one));
  return out;
}

}  // namespace puna::trainer
