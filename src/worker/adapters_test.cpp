// One base and several LoRA adapters in one worker.
#include <gtest/gtest.h>
#include <signal.h>

#include "models/random_adapter.h"
#include "models/tiny_model.h"
#include "worker/worker_testing.h"

namespace puna::worker::testing {
namespace {

namespace fs = std::filesystem;
using wire::WorkerReport;

constexpr std::string_view kBase = "[]";  // no adapter named: the scales that the worker was started with, which are 0 here
constexpr std::string_view kFirst = R"([{"id":0,"scale":1}])";
constexpr std::string_view kSecond = R"([{"id":1,"scale":1}])";

struct Answer {
  std::string text;
  int reused = 0;
};

class WorkerAdapters : public ::testing::Test {
 protected:
  WorkerAdapters() {
    EXPECT_TRUE(tiny_model::write(model_, tiny_model::Kind::chat));
    for (std::uint64_t seed = 1; seed <= 2; ++seed) EXPECT_TRUE(tiny_model::write_random_adapter(adapter(seed), model_, seed, 8));
  }
  fs::path adapter(std::uint64_t seed) { return folder_.path() / fmt::format("lora{}.gguf", seed); }
  std::vector<std::string> options() {
    return {"--context",       "4096", "--slots",   "2",        "--adapter",       adapter(1),
            "--adapter-scale", "0",    "--adapter", adapter(2), "--adapter-scale", "0"};
  }
  static Answer ask(const RunningWorker& worker, std::string_view lora) {
    std::string words;
    for (int i = 0; i < 60; ++i) words += "river ";
    const auto reply = worker.post(
        "/v1/chat/completions",
        fmt::format(R"({{"messages":[{{"role":"user","content":"{}"}}],"temperature":0,"max_tokens":24,"lora":{}}})", words, lora));
    const auto body = json::parse_object(reply.body);
    if (reply.status != 200 || !body) {
      ADD_FAILURE() << reply.status << reply.body << worker.log();
      return {};
    }
    return {std::string(std::string_view(body->at("choices").at(0).at("message").at("content").get_string())),
            body->at("timings").at("cache_n").to_number<int>()};
  }

  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  const fs::path model_ = folder_.path() / "tiny.gguf";
};

TEST_F(WorkerAdapters, are_chosen_by_each_request_and_the_base_comes_back_exactly) {
  RunningWorker worker(model_, options());
  ASSERT_EQ(worker.outcome().report, WorkerReport::ready) << worker.log();
  const auto base = ask(worker, kBase).text;
  const auto first = ask(worker, kFirst).text;
  const auto second = ask(worker, kSecond).text;
  EXPECT_NE(first, base);
  EXPECT_NE(second, base);
  EXPECT_NE(second, first);
  EXPECT_EQ(ask(worker, kBase).text, base);
  EXPECT_EQ(ask(worker, kFirst).text, first);
}

// Four sets take turns on two slots: each turn meets slots that another set filled with the same tokens.
TEST_F(WorkerAdapters, never_use_what_another_set_computed) {
  RunningWorker worker(model_, options());
  ASSERT_EQ(worker.outcome().report, WorkerReport::ready) << worker.log();
  const std::vector<std::string_view> sets = {kBase, kFirst, kSecond, R"([{"id":0,"scale":-1}])"};
  std::vector<std::string> expected;
  for (const auto set : sets) expected.push_back(ask(worker, set).text);
  for (int round = 0; round < 2; ++round)
    for (std::size_t i = 0; i < sets.size(); ++i) EXPECT_EQ(ask(worker, sets[i]).text, expected[i]) << sets[i];
}

TEST_F(WorkerAdapters, have_conversations_that_come_back_to_their_own_set) {
  auto with_folder = options();
  with_folder.insert(with_folder.end(),
                     {"--warm-folder", folder_.path() / "warm" / "tiny", "--warm-disk", "100000000", "--warm-least", "50"});
  RunningWorker worker(model_, with_folder);
  ASSERT_EQ(worker.outcome().report, WorkerReport::ready) << worker.log();
  const auto first = ask(worker, kFirst);
  ASSERT_TRUE(worker.process().send_signal(SIGTERM));
  EXPECT_EQ(worker.wait().code, 0);

  RunningWorker again(model_, with_folder);
  ASSERT_EQ(again.outcome().report, WorkerReport::ready) << again.log();
  EXPECT_EQ(ask(again, kSecond).reused, 0);
  const auto returned = ask(again, kFirst);
  EXPECT_GT(returned.reused, 60) << again.log();
  EXPECT_EQ(returned.text, first.text);
}

}  // namespace
}  // namespace puna::worker::testing
