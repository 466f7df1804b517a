// What a device computes against what the CPU does. PUNA_TEST_DEVICE=CUDA0 asks a real one, too.
#include "tune/offload/offload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>

#include "tune/arithmetic/random.h"
#include "tune/head.h"
#include "tune/offload/device_testing.h"
#include "tune/trainer.h"
#include "tune/tune_testing.h"

namespace puna::tune {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using tiny_model::RandomModel;

// ggml's own order of additions; with bfloat16, numbers of 8 bits. GPUs shorten what they call 32 bits to 19.
double tolerance(Precision precision, const Device& device) {
  const bool is_real = device.name != "FAKE0" && device.name != kStandIn;
  if (precision == Precision::bf16) return 2e-2;
  return is_real ? 5e-3 : 1e-5;
}

std::vector<Device> devices() {
  std::vector<Device> out = {FakeDevice::get().device(), find_device(kStandIn).value().value()};
  if (const char* more = std::getenv("PUNA_TEST_DEVICE")) out.push_back(find_device(more).value().value());
  return out;
}

std::vector<float> numbers(std::size_t count, std::uint64_t seed) {
  std::vector<float> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = 2 * uniform(seed, i) - 1;
  return out;
}

std::vector<TokenRow> some_rows() {
  return {random_row(60, 256, 1, 5), random_row(25, 256, 2, 3), random_row(7, 256, 3)};
}

// What a pass comes to.
struct Outcome {
  std::vector<float> logits;
  std::vector<float> gradients;
  std::vector<std::string> notes;
  std::optional<Placement> placement;
};

class OffloadedPass : public testing::Test {
 protected:
  OffloadedPass() { fake_.reset(); }

  static PassOptions options(const MicroBatch& batch, std::optional<Device> device, Precision precision = Precision::f32) {
    return {.most_tokens = batch.tokens.size(), .longest = batch.longest(), .precision = precision, .device = std::move(device)};
  }
  static Outcome outcome(const Model& model, const std::optional<Device>& device, Precision precision = Precision::f32, float dropout = 0) {
    Team team(2);
    auto adapter = stirred_adapter(model, {.rank = 4, .dropout = dropout});
    const auto batch = lay_out(some_rows());
    Pass pass(model, team, &adapter, options(batch, device, precision));
    std::vector<std::uint32_t> places(batch.tokens.size());
    std::iota(places.begin(), places.end(), 0U);
    Outcome out{.logits = pass.logits(batch, places, &adapter).value()};
    EXPECT_TRUE(pass.train(batch, adapter, 5));
    out.gradients.assign(adapter.gradients().span().begin(), adapter.gradients().span().end());
    if (pass.offload() != nullptr) {
      out.notes = pass.offload()->notes();
      out.placement = pass.offload()->placement();
    }
    return out;
  }
  static void expect_same(const Outcome& got, const Outcome& wanted, double tolerance, std::string_view what) {
    EXPECT_LT(relative_distance(got.logits, wanted.logits), tolerance) << what;
    EXPECT_LT(relative_distance(got.gradients, wanted.gradients), tolerance) << what;
  }
  std::vector<std::string> reasons(const Placement& placement) {
    std::vector<std::string> out;
    for (const auto& left : placement.left)
      if (std::ranges::find(out, left.reason) == out.end()) out.push_back(left.reason);
    return out;
  }

  FakeDevice& fake_ = FakeDevice::get();
};

TEST_F(OffloadedPass, gives_the_logits_and_gradients_of_the_cpu_for_each_architecture) {
  for (const auto* architecture : architectures()) {
    const TestModel model({.architecture = std::string(architecture->name), .type = gguf::TensorType::q8_0, .tied = false});
    const auto wanted = outcome(model.model(), std::nullopt);
    for (const auto& device : devices()) {
      const auto got = outcome(model.model(), device);
      ASSERT_THAT(got.placement->left, IsEmpty());
      expect_same(got, wanted, tolerance(Precision::f32, device), fmt::format("{} on {}", architecture->name, device.name));
    }
  }
}

TEST_F(OffloadedPass, gives_them_in_bfloat16_and_under_dropout) {
  const TestModel model({.type = gguf::TensorType::q4_0});
  for (const auto& device : devices()) {
    const auto plain = outcome(model.model(), std::nullopt, Precision::f32, 0.2F);
    expect_same(outcome(model.model(), device, Precision::f32, 0.2F), plain, tolerance(Precision::f32, device), device.name);
    expect_same(outcome(model.model(), device, Precision::bf16, 0.2F), plain, tolerance(Precision::bf16, device), device.name);
  }
}

TEST_F(OffloadedPass, uploads_what_maps_share_once) {
  const TestModel model({.layers = 3});
  Team team(1);
  const auto batch = lay_out(some_rows());
  Pass pass(model.model(), team, nullptr, options(batch, fake_.device()));
  fake_.travelled_down = 0;
  ASSERT_TRUE(pass.score(batch, nullptr));
  EXPECT_EQ(fake_.graphs, 3 * 4 + 1);  // q, k and v; output; gate and up; down. And the head
  const auto& shape = model.model().shape();
  const auto layer = 2 * shape.width + shape.query_width() + shape.inner;
  EXPECT_EQ(fake_.travelled_down, sizeof(float) * (3 * layer * batch.tokens.size() + batch.trained.size() * shape.width));
}

TEST_F(OffloadedPass, takes_no_more_memory_than_it_was_told_to) {
  const TestModel model;
  for (const auto precision : {Precision::f32, Precision::bf16}) {
    fake_.reset();
    const auto promised = outcome(model.model(), fake_.device(), precision).placement->memory();
    EXPECT_LE(fake_.most_taken, promised.count);
    EXPECT_GT(fake_.most_taken, promised.count / 2);
    EXPECT_EQ(fake_.taken, 0u);
  }
}

TEST_F(OffloadedPass, leaves_to_the_cpu_what_there_is_no_memory_for) {
  const TestModel model;
  const auto wanted = outcome(model.model(), std::nullopt);
  const auto all = outcome(model.model(), fake_.device()).placement.value();
  fake_.free = mib(64) + all.memory() - Bytes(1);  // a sixteenth of all is left to others
  const auto most = outcome(model.model(), fake_.device());
  ASSERT_EQ(most.placement->weights.size(), all.weights.size() - 1);
  EXPECT_THAT(reasons(*most.placement), ElementsAre(HasSubstr("no room on FAKE0")));
  expect_same(most, wanted, 1e-5, "all but one");
  fake_.free = mib(64) + all.working + all.weights.front().bytes;
  const auto few = outcome(model.model(), fake_.device());
  ASSERT_LT(few.placement->weights.size(), 5u);
  ASSERT_GT(few.placement->weights.size(), 0u);
  expect_same(few, wanted, 1e-5, "few");
}

TEST_F(OffloadedPass, without_memory_is_that_of_the_cpu_bit_for_bit) {
  const TestModel model;
  fake_.free = mib(64);
  const auto got = outcome(model.model(), fake_.device());
  const auto wanted = outcome(model.model(), std::nullopt);
  EXPECT_EQ(got.logits, wanted.logits);
  EXPECT_EQ(got.gradients, wanted.gradients);
  EXPECT_EQ(fake_.graphs, 0);
}

TEST_F(OffloadedPass, goes_around_operations_that_the_device_lacks_and_says_so) {
  const TestModel model;
  const auto wanted = outcome(model.model(), std::nullopt);
  fake_.lacks = {"OUT_PROD"};
  const auto copied = outcome(model.model(), fake_.device());
  EXPECT_THAT(copied.placement->left, IsEmpty());
  expect_same(copied, wanted, 1e-5, "by copies");
  fake_.lacks = {"OUT_PROD", "CONT"};
  const auto forward = outcome(model.model(), fake_.device());
  EXPECT_THAT(reasons(*forward.placement), ElementsAre("FAKE0 has no CONT for weights in f32"));
  expect_same(forward, wanted, 1e-5, "forward only");
  fake_.lacks = {"MUL_MAT"};
  const auto nothing = outcome(model.model(), fake_.device());
  EXPECT_THAT(reasons(*nothing.placement), ElementsAre("FAKE0 has no MUL_MAT for weights in f32"));
  EXPECT_EQ(nothing.gradients, wanted.gradients);
}

TEST_F(OffloadedPass, falls_back_with_a_note_when_the_device_gives_less_than_it_said) {
  const TestModel model;
  const auto wanted = outcome(model.model(), std::nullopt);
  const auto all = outcome(model.model(), fake_.device()).placement.value();
  fake_.gives = Bytes((all.working.count + all.memory().count) / 2);
  const auto got = outcome(model.model(), fake_.device());
  EXPECT_THAT(got.notes, ElementsAre(HasSubstr("FAKE0 refused more memory: the CPU takes")));
  EXPECT_GT(got.placement->weights.size(), 0u);
  expect_same(got, wanted, 1e-5, "half");
  fake_.gives = Bytes(1);
  EXPECT_THAT(outcome(model.model(), fake_.device()).notes, ElementsAre(HasSubstr("to work in: the CPU takes")));
  fake_.starts = false;
  EXPECT_THAT(outcome(model.model(), fake_.device()).notes, ElementsAre(HasSubstr("FAKE0 did not start: the CPU takes")));
}

TEST_F(OffloadedPass, ends_with_an_error_when_the_device_fails_and_learns_nothing) {
  const TestModel model;
  Team team(1);
  const auto batch = lay_out(some_rows());
  auto trainer =
      Trainer::create(model.model(), team, {.schedule = {.rate = 1e-3F, .steps = 4}, .pass = options(batch, fake_.device())}).value();
  const std::vector before(trainer.adapter().parameters().span().begin(), trainer.adapter().parameters().span().end());
  fake_.fails_at = 12;
  const auto failed = trainer.step(std::span(&batch, 1));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::upstream_failed);
  EXPECT_THAT(failed.error().message, HasSubstr("FAKE0 (a device for tests) failed"));
  EXPECT_EQ(fake_.graphs, 13);  // it is asked no more
  EXPECT_TRUE(std::ranges::equal(trainer.adapter().parameters().span(), before));
}

TEST_F(OffloadedPass, learns_as_the_cpu_does) {
  const TestModel model({.type = gguf::TensorType::q8_0});
  const auto batch = lay_out(some_rows());
  const auto loss_after = [&](const std::optional<Device>& device) {
    Team team(2);
    auto trainer = Trainer::create(model.model(), team, {.schedule = {.rate = 1e-2F, .steps = 20}, .pass = options(batch, device)}).value();
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(trainer.step(std::span(&batch, 1)));
    return trainer.score(std::span(&batch, 1))->loss;
  };
  EXPECT_NEAR(loss_after(fake_.device()), loss_after(std::nullopt), 1e-3);
}

// Weights that go through a product in slices, as the largest ones of large models do.
TEST_F(OffloadedPass, products_in_slices_are_those_of_the_whole) {
  const TestModel model({.width = 160, .inner = 96});
  const auto& gate = model.model().layer(0).linear(Target::ffn_gate).weight;
  const auto x = numbers(9 * gate.in, 1);
  const auto d_y = numbers(9 * gate.out, 2);
  Team team(2);
  for (const auto& lacks : {std::set<std::string>{}, std::set<std::string>{"OUT_PROD"}}) {
    fake_.lacks = lacks;
    std::vector<std::vector<float>> results;
    for (const Bytes slice : {mib(1), kib(16)}) {
      Offload offload(place(model.model(), fake_.device(), {.tokens = 9, .head_tokens = 9, .slice = slice}), team);
      auto& y = results.emplace_back(9 * gate.out);
      const Offload::Product product{&gate, y.data()};
      offload.multiply(std::span(&product, 1), x.data(), 9);
      auto& d_x = results.emplace_back(9 * gate.in);
      const Offload::Gradient gradient{&gate, d_y.data()};
      offload.multiply_back(std::span(&gradient, 1), d_x.data(), 9);
      ASSERT_TRUE(offload.status());
    }
    EXPECT_LT(relative_distance(results[2], results[0]), 1e-6);
    EXPECT_LT(relative_distance(results[3], results[1]), 1e-6);
  }
}

TEST_F(OffloadedPass, lists_all_of_a_step_and_why_what_is_not_on_the_device) {
  const TestModel model({.layers = 3, .tied = false});
  fake_.lacks = {"OUT_PROD", "CONT"};
  const auto work = work_of(place(model.model(), fake_.device(), {.tokens = 64, .head_tokens = 64}));
  const auto all = "attn_k, attn_output, attn_q, attn_v, ffn_down, ffn_gate, ffn_up of layers 0 to 2";
  EXPECT_THAT(work.front(), Field(&Work::operation, "products with weights, forward"));
  EXPECT_THAT(work.front(), Field(&Work::tensors, fmt::format("output; {}", all)));
  EXPECT_EQ(work[1].operation, "products with weights, backward");
  EXPECT_EQ(work[1].place, "CPU");
  EXPECT_EQ(work[1].reason, "FAKE0 has no CONT for weights in f32");
  EXPECT_THAT(work, Contains(Field(&Work::operation, HasSubstr("attention"))));
  EXPECT_THAT(work, Contains(Field(&Work::operation, "optimizer")));
}

TEST(FindDevice, knows_ggmls_names_in_any_case_and_three_of_our_own) {
  FakeDevice::get().reset();
  EXPECT_FALSE(find_device("cpu").value().has_value());
  EXPECT_EQ(find_device("fake0").value()->name, "FAKE0");
  EXPECT_EQ(find_device("auto").value()->name, "FAKE0");  // the only GPU here
  EXPECT_EQ(find_device("ggml-cpu").value()->name, "ggml-cpu");
}

TEST(FindDevice, lists_what_there_is_when_a_name_is_unknown) {
  FakeDevice::get().reset();
  const auto found = find_device("CUDA7");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::invalid_argument);
  EXPECT_THAT(found.error().message, HasSubstr("there is no device 'CUDA7'; there are auto, cpu, FAKE0 (a device for tests)"));
}

}  // namespace
}  // namespace puna::tune
