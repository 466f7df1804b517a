// How well memory is predicted: real workers, from tiny models to a real one.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "fleet/fleet_testing.h"
#include "models/tiny_model.h"

namespace puna::fleet::testing {
namespace {

class FleetPredicts : public FleetTest {
 protected:
  FleetPredicts() : FleetTest(PUNA_PROGRAM) {
    options_.threads = 2;
    options_.context_length = 2048;
  }
  void tiny(const std::string& name, tiny_model::Kind kind) { EXPECT_TRUE(tiny_model::write(folder() / "models" / name, kind)); }
  void give_work(const Lease& lease, Purpose purpose) {
    std::string text;
    for (int i = 0; i < (60); ++i) text += "wind ";
    auto request = net::HttpRequest::to_socket(lease.socket(), "POST", purpose == Purpose::embed ? "/v1/embeddings" : "/v1/completions");
    request.body =
        json::to_text(purpose == Purpose::embed ? json::object{{"input", text}} : json::object{{"prompt", text}, {"max_tokens", 4}});
    request.deadlines.first_byte = kPatience;
    const auto answer = run(http_.fetch(std::move(request)));
    ASSERT_TRUE(answer) << answer.error().text();
    EXPECT_EQ(answer->status, 200) << answer->body;
  }
  // By how much the prediction was wrong, once the model has worked.
  double error_of_prediction(const std::string& name, Purpose purpose) {
    auto lease = acquire(name, {.purpose = purpose});
    EXPECT_TRUE(lease) << lease.error().text();
    if (!lease) return 1;
    give_work(*lease, purpose);
    const auto running = look(name);
    const auto predicted = static_cast<double>(running.predicted_bytes.value_or(0));
    const auto resident = static_cast<double>(running.memory_bytes.value_or(1));
    std::printf("%-14s predicted %6.1f MiB, resident %6.1f MiB: %+5.1f %%\n", name.c_str(), predicted / 1048576, resident / 1048576,
                100 * (predicted / resident - 1));
    return std::abs(predicted / resident - 1);
  }
  void predicts_well(const std::string& name, Purpose purpose = Purpose::generate) {
    EXPECT_LE(error_of_prediction(name, purpose), 0.15) << "before the first load";
    ASSERT_TRUE(run(fleet_->unload(name)));
    EXPECT_LE(error_of_prediction(name, purpose), 0.05) << "after it";
  }
};

TEST_F(FleetPredicts, what_tiny_models_take) {
  tiny("chat", tiny_model::Kind::chat);
  predicts_well("chat");
  tiny("embedding", tiny_model::Kind::embedding);
  predicts_well("embedding", Purpose::embed);
}

TEST_F(FleetPredicts, what_a_real_model_takes) {
  const char* models = std::getenv("PUNA_TEST_MODELS");
  if (!models) GTEST_SKIP() << "PUNA_TEST_MODELS is not set";
  files_["smollm2"] = std::filesystem::path(models) / "SmolLM2-135M-Instruct.Q4_1.gguf";
  predicts_well("smollm2");
}

}  // namespace
}  // namespace puna::fleet::testing
