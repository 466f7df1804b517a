#include "trainer/tensorboard.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/file.h"
#include "os/temporary_folder.h"

namespace puna::trainer {
namespace {

WallTime at(std::int64_t milliseconds) {
  return WallTime(std::chrono::milliseconds(milliseconds));
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return out;
}

TEST(TensorBoard, sums_are_castagnolis) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);  // RFC 3720
}

// Bytes that tensorboardX 2.6 makes of the same events.
TEST(TensorBoard, records_are_those_of_other_writers) {
  EXPECT_EQ(hex(opening_record(at(1'700'000'000'500))), "1800000000000000a37f4b220900002040fc54d9411a0d627261696e2e4576656e743a322b353110");
  const std::vector<Scalar> two = {{"train/loss", 1.5}, {"train/learning_rate", 0.0002}};
  EXPECT_EQ(hex(scalar_record(at(1'700'000'001'250), 300, two)),
            "3d000000000000006049f1ec0900005040fc54d94110ac022a2f0a110a0a747261696e2f6c6f7373150000c03f0a1a0a13747261696e2f6c6561726e696e67"
            "5f726174651517b75139202cf717");
  const std::vector<Scalar> zero = {{"eval/loss", 0}};
  EXPECT_EQ(hex(scalar_record(at(1'700'000'002'000), 0, zero)),
            "1d00000000000000602fdf230900008040fc54d9412a120a100a096576616c2f6c6f73731500000000e417c9aa");
}

TEST(TensorBoard, steps_and_evaluations_have_their_curves) {
  const wire::TuneEvent step{
      .kind = wire::TuneEventKind::step, .loss = 2.0, .learning_rate = 1e-4, .rewards = wire::TuneRewards{.margin = 3}};
  std::vector<std::string_view> tags;
  for (const auto& scalar : scalars_of(step)) tags.push_back(scalar.tag);
  EXPECT_THAT(tags, testing::ElementsAre("train/loss", "train/learning_rate", "rewards/chosen", "rewards/rejected", "rewards/margin",
                                         "rewards/accuracy"));
  const auto evaluation = scalars_of({.kind = wire::TuneEventKind::evaluation, .eval_loss = 0.0});
  ASSERT_EQ(evaluation.size(), 2u);
  EXPECT_EQ(evaluation[1].value, 1.0);  // perplexity
  EXPECT_TRUE(scalars_of({.kind = wire::TuneEventKind::note, .loss = 1.0}).empty());
}

TEST(TensorBoard, a_run_that_goes_on_adds_a_file_and_keeps_the_first) {
  const auto folder = os::TemporaryFolder::create();
  ASSERT_TRUE(folder);
  const WallTime now = at(1'700'000'000'000);
  auto first = EventFile::create(folder->path(), now);
  ASSERT_TRUE(first);
  ASSERT_TRUE(first->add(now, {.kind = wire::TuneEventKind::evaluation, .step = 1, .eval_loss = 1.0}));
  ASSERT_TRUE(EventFile::create(folder->path(), now));

  const auto bytes = os::read_file(folder->path() / "events.out.tfevents.1700000000.000.puna", kib(4));
  ASSERT_TRUE(bytes);
  EXPECT_TRUE(bytes->starts_with(opening_record(now)));
  EXPECT_GT(bytes->size(), opening_record(now).size());
  EXPECT_TRUE(std::filesystem::exists(folder->path() / "events.out.tfevents.1700000000.001.puna"));
}

}  // namespace
}  // namespace puna::trainer
