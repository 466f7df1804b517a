// Real workers that end and come back.
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>

#include "models/tiny_model.h"
#include "os/folder_watch.h"
#include "worker/worker_testing.h"

namespace puna::worker::testing {
namespace {

namespace fs = std::filesystem;
using wire::WorkerReport;

struct Answer {
  std::string text;
  int computed = 0;  // tokens of the prompt
  int reused = 0;
};

class WorkerWarmth : public ::testing::Test {
 protected:
  WorkerWarmth() {
    EXPECT_TRUE(tiny_model::write(model_, tiny_model::Kind::chat));
    fs::create_directories(states_);
    EXPECT_TRUE(watch_.add(states_));
  }

  std::unique_ptr<RunningWorker> start(const std::vector<std::string>& more = {}) {
    std::vector<std::string> options = {"--context",   "4096",      "--slots",      "1", "--warm-folder", states_,
                                        "--warm-disk", "100000000", "--warm-least", "50"};
    options.insert(options.end(), more.begin(), more.end());
    auto worker = std::make_unique<RunningWorker>(model_, options);
    EXPECT_EQ(worker->outcome().report, WorkerReport::ready) << worker->log();
    return worker;
  }

  // A conversation about a word, long enough to be worth saving.
  static json::array about(std::string_view word) {
    std::string words;
    for (int i = 0; i < 100; ++i) words += fmt::format("{} ", word);
    return {json::object{{"role", "user"}, {"content", words}}};
  }
  static Answer ask(const RunningWorker& worker, const json::array& messages, json::object more = {}) {
    more["messages"] = messages;
    more["temperature"] = 0;
    const auto reply = worker.post("/v1/chat/completions", json::to_text(more));
    const auto body = json::parse_object(reply.body);
    if (reply.status != 200 || !body) {
      ADD_FAILURE() << reply.status << reply.body << worker.log();
      return {};
    }
    const auto number = [&](std::string_view name) { return body->at("timings").at(name).to_number<int>(); };
    return {std::string(std::string_view(body->at("choices").at(0).at("message").at("content").get_string())), number("prompt_n"),
            number("cache_n")};
  }
  static json::array continued(json::array messages, const Answer& answer) {
    messages.push_back({{"role", "assistant"}, {"content", answer.text}});
    messages.push_back({{"role", "user"}, {"content", "and the wind?"}});
    return messages;
  }

  [[nodiscard]] std::vector<fs::path> files() const {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator(states_))
      if (entry.path().extension() == ".kv") out.push_back(entry.path());
    return out;
  }
  void wait_for_files(std::size_t count) {
    const auto due = std::chrono::steady_clock::now() + kPatience;
    while (files().size() != count && std::chrono::steady_clock::now() < due) {
      watch_.wait(Milliseconds(1000), {});
      EXPECT_TRUE(watch_.read());
    }
    EXPECT_EQ(files().size(), count);
  }
  static void kill(RunningWorker& worker) {
    EXPECT_TRUE(worker.process().send_signal(SIGKILL));
    EXPECT_EQ(worker.wait().signal, SIGKILL);
  }

  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  const fs::path model_ = folder_.path() / "tiny.gguf";
  const fs::path states_ = folder_.path() / "warm" / "tiny";
  os::FolderWatch watch_ = os::FolderWatch::create().value();
};

TEST_F(WorkerWarmth, a_conversation_goes_on_after_a_kill_without_reading_its_beginning_again) {
  const auto first = about("river");
  auto worker = start();
  const auto answer = ask(*worker, first);
  EXPECT_EQ(answer.reused, 0);
  wait_for_files(1);
  kill(*worker);

  auto again = start();
  const auto second = ask(*again, continued(first, answer));
  EXPECT_GE(second.reused, answer.computed);
  EXPECT_LT(second.computed, answer.computed / 2);  // the answer's tokens, which the tiny model reads in other pieces, and the question
}

TEST_F(WorkerWarmth, an_answer_after_a_return_is_the_one_of_a_worker_that_stayed) {
  const auto first = about("river");
  auto stays = start({"--slots", "2"});
  const auto answer = ask(*stays, first);
  wait_for_files(1);
  auto returns = start({"--slots", "2"});
  const auto question = continued(first, answer);
  const json::object seeded{{"temperature", 5}, {"seed", 7}, {"logprobs", true}, {"max_tokens", 20}};
  const auto stayed = ask(*stays, question, seeded);
  const auto returned = ask(*returns, question, seeded);
  EXPECT_EQ(stayed.text, returned.text);
  EXPECT_EQ(stayed.reused, returned.reused);
  EXPECT_GT(returned.reused, 0) << returns->log();
}

TEST_F(WorkerWarmth, several_conversations_share_one_slot_and_all_come_back) {
  std::map<std::string, Answer> answers;
  auto worker = start();
  for (const std::string word : {"river", "mountain", "desert"}) {
    answers[word] = ask(*worker, about(word));
    wait_for_files(answers.size());
  }
  kill(*worker);
  auto again = start();
  for (const std::string word : {"desert", "river", "mountain"})
    EXPECT_GE(ask(*again, continued(about(word), answers[word])).reused, answers[word].computed) << word << again->log();
}

TEST_F(WorkerWarmth, is_saved_at_the_end_without_a_quiet_moment_before_it) {
  auto worker = start();
  const auto answer = ask(*worker, about("river"));
  ASSERT_TRUE(worker->process().send_signal(SIGTERM));
  EXPECT_EQ(worker->wait().code, 0);
  EXPECT_EQ(files().size(), 1u) << worker->log();
  EXPECT_GE(ask(*start(), continued(about("river"), answer)).reused, answer.computed);
}

TEST_F(WorkerWarmth, is_of_no_use_to_a_worker_with_other_settings) {
  auto worker = start();
  const auto answer = ask(*worker, about("river"));
  wait_for_files(1);
  for (const auto& other : std::vector<std::vector<std::string>>{{"--context", "2048"}, {"--slots", "2"}, {"--cache-type-k", "f32"}}) {
    const auto cold = ask(*start(other), continued(about("river"), answer));
    EXPECT_EQ(cold.reused, 0);
  }
}

TEST_F(WorkerWarmth, that_is_torn_costs_time_and_nothing_else) {
  auto worker = start();
  const auto answer = ask(*worker, about("river"));
  wait_for_files(1);
  const auto question = continued(about("river"), answer);
  const auto expected = ask(*worker, question);
  kill(*worker);
  std::fstream(files().front(), std::ios::binary | std::ios::in | std::ios::out)
      .seekp(static_cast<std::streamoff>(fs::file_size(files().front()) - 100))
      .write("torn", 4);
  auto again = start();
  const auto cold = ask(*again, question);
  EXPECT_EQ(cold.reused, 0);
  EXPECT_EQ(cold.text, expected.text);
}

// ledger: T14
TEST_F(WorkerWarmth, short_conversations_and_those_of_a_worker_without_a_folder_leave_nothing) {
  const json::array hello{json::object{{"role", "user"}, {"content", "hi"}}};
  auto worker = start({"--warm-least", "1000"});
  EXPECT_FALSE(ask(*worker, hello).text.empty());
  ASSERT_TRUE(worker->process().send_signal(SIGTERM));
  EXPECT_EQ(worker->wait().code, 0);
  EXPECT_TRUE(files().empty());
}

}  // namespace
}  // namespace puna::worker::testing
