#include "batch/batches.h"

#include <gtest/gtest.h>

#include <atomic>

#include "batch/input.h"
#include "net/loopback_testing.h"
#include "os/file.h"

namespace puna::batch {
namespace {

using namespace std::chrono_literals;

// A queue with batches over a database in a file, answered by a function.
class BatchesTest : public testing::Test {
 protected:
  BatchesTest() { start(); }
  ~BatchesTest() override { stop(); }

  void start() {
    database_.emplace(store::Database::open(folder_ / "puna.db").value());
    files_.emplace(Files::open(*database_, folder_ / "files", [] { return FileBounds{.largest = mib(1), .all = mib(8)}; }).value());
    batches_.emplace(network_.io, *database_, *files_, settings_);
    batches_->answer_with([this](Request request) { return answer(std::move(request)); });
    queue_.emplace(*database_, events_, settings_, std::vector{batches_->job_spec()});
    ASSERT_TRUE(queue_->start());
    ASSERT_TRUE(batches_->resume(*queue_));
  }
  void stop() {
    ASSERT_TRUE(queue_->stop(10s));
    queue_.reset();
    batches_.reset();
    files_.reset();
    database_.reset();
  }
  net::Task<Result<Answer>> answer(Request request) {
    ++asked_;
    const auto body = json::parse_object(request.body).value();
    if (body.contains("wait")) PUNA_CO_CHECK(co_await gate_.pass());
    if (body.contains("expire")) {
      const auto waited = co_await room_.wait(room_.epoch(), request.patience);
      co_return Answer{.status = 504, .error = waited.error()};
    }
    if (body.contains("fail")) co_return Answer{.status = 400, .body = {{"error", "bad"}}, .error = Error(Code::invalid_argument, "bad")};
    co_return Answer{.body = {{"text", body.at("model")}, {"usage", json::object{{"prompt_tokens", 3}, {"completion_tokens", 2}}}}};
  }
  std::string upload(std::string_view content) {
    auto upload = files_->begin("").value();
    EXPECT_TRUE(upload.write(content));
    return files_->keep(std::move(upload), {.filename = "in.jsonl", .purpose = "batch"}).value().id;
  }
  static std::string line(std::string_view id, std::string_view more = "") {
    return fmt::format(R"({{"custom_id":"{0}","method":"POST","url":"/v1/chat/completions","body":{{"model":"{0}"{1}}}}})"
                       "\n",
                       id, more);
  }
  Batch create(std::string_view content, std::string window = "24h") {
    return batches_->create(*queue_, {.endpoint = "/v1/chat/completions", .input_file = upload(content), .completion_window = window})
        .value();
  }
  Batch ended(const Batch& batch) {
    const auto now = batches_->find(*queue_, "", batch.id).value();
    EXPECT_TRUE(queue_->wait(now.job, 20s));
    return batches_->find(*queue_, "", batch.id).value();
  }
  void await_completed(const Batch& batch, std::int64_t count) {
    const auto due = std::chrono::steady_clock::now() + 20s;
    while (batches_->find(*queue_, "", batch.id)->counts.completed < count && std::chrono::steady_clock::now() < due)
      std::this_thread::yield();
    ASSERT_GE(batches_->find(*queue_, "", batch.id)->counts.completed, count);
  }
  // The custom ids of an output, in their order.
  std::string ids_in(const std::optional<std::string>& file) {
    if (!file) return "none";
    std::string out;
    InputReader reader(files_->open_content(files_->find("", *file).value()).value(), mib(1));
    for (auto next = reader.next().value(); next; next = reader.next().value())
      out += json::parse(next->text)->at("custom_id").as_string().c_str();
    return out;
  }

  net::loopback::TemporaryFolder folder_;
  net::loopback::NetworkThread network_;
  net::loopback::Gate gate_{network_.io};
  net::Notifier room_{network_.io};  // none ever comes
  std::atomic<int> asked_ = 0;
  EventBus events_;
  SettingsStore settings_{{.flags = {{"batches.parallel", "2"}}}};
  std::optional<store::Database> database_;
  std::optional<Files> files_;
  std::optional<Batches> batches_;
  std::optional<jobs::Queue> queue_;
};

TEST_F(BatchesTest, are_answered_in_the_order_of_their_lines_with_failures_apart) {
  const auto batch = ended(create(line("a") + line("b", R"(,"fail":1)") + line("c")));
  EXPECT_EQ(batch.state, State::completed);
  EXPECT_EQ(ids_in(batch.output_file), "ac");
  EXPECT_EQ(ids_in(batch.error_file), "b");
  EXPECT_EQ(batch.counts.completed, 2);
  EXPECT_EQ(batch.counts.failed, 1);
  EXPECT_EQ(batch.tokens.input, 6);
}

TEST_F(BatchesTest, with_a_wrong_line_fail_before_anything_is_asked) {
  const auto batch = ended(create(line("a") + line("a")));
  EXPECT_EQ(batch.state, State::failed);
  EXPECT_EQ(batch.errors.at(0).line, 2);
  EXPECT_EQ(asked_, 0);
}

TEST_F(BatchesTest, go_on_after_a_restart_without_asking_anew_what_was_answered) {
  const auto batch = create(line("a") + line("b") + line("c", R"(,"wait":1)") + line("d", R"(,"wait":1)"));
  await_completed(batch, 2);
  stop();
  asked_ = 0;
  gate_.open();
  start();
  const auto after = ended(batch);
  EXPECT_EQ(after.state, State::completed);
  EXPECT_EQ(ids_in(after.output_file), "abcd");
  EXPECT_EQ(asked_, 2);
}

TEST_F(BatchesTest, that_are_cancelled_keep_what_was_answered) {
  const auto batch = create(line("a") + line("b", R"(,"wait":1)") + line("c", R"(,"wait":1)"));
  await_completed(batch, 1);
  ASSERT_TRUE(batches_->cancel(*queue_, "", batch.id));
  const auto after = ended(batch);
  EXPECT_EQ(after.state, State::cancelled);
  EXPECT_EQ(ids_in(after.output_file), "a");
  EXPECT_EQ(batches_->cancel(*queue_, "", batch.id).error().code, Code::conflict);
}

TEST_F(BatchesTest, that_wait_for_their_turn_are_cancelled_at_once) {
  const auto first = create(line("a", R"(,"wait":1)"));
  const auto second = create(line("b"));
  EXPECT_EQ(batches_->cancel(*queue_, "", second.id)->state, State::cancelled);
  gate_.open();
  EXPECT_EQ(ended(first).state, State::completed);
  EXPECT_EQ(asked_, 1);
}

TEST_F(BatchesTest, whose_job_was_cancelled_are_ended_by_another) {
  const auto batch = create(line("a", R"(,"wait":1)"));
  const auto job = batches_->find(*queue_, "", batch.id)->job;
  ASSERT_TRUE(queue_->cancel(job));
  ASSERT_TRUE(queue_->wait(job, 20s));
  EXPECT_EQ(ended(batch).state, State::cancelled);
}

TEST_F(BatchesTest, expire_with_the_lines_that_were_not_answered) {
  const auto batch = create(line("a", R"(,"expire":1)") + line("b", R"(,"expire":1)") + line("c"), "1s");
  const auto after = ended(batch);
  EXPECT_EQ(after.state, State::expired);
  EXPECT_NE(ids_in(after.error_file).find('c'), std::string::npos);
}

TEST_F(BatchesTest, hold_their_input_until_they_end) {
  const auto batch = create(line("a", R"(,"wait":1)"));
  EXPECT_EQ(batches_->remove_file("", batch.input_file).error().code, Code::conflict);
  gate_.open();
  EXPECT_EQ(ended(batch).state, State::completed);
  EXPECT_TRUE(batches_->remove_file("", batch.input_file));
}

// ledger: M4
TEST_F(BatchesTest, name_what_is_wrong_with_their_request) {
  const auto error = [&](CreateBatch request) { return batches_->create(*queue_, std::move(request)).error().message; };
  EXPECT_NE(error({.endpoint = "/v1/images"}).find("endpoint: '/v1/images' is not one of"), std::string::npos);
  EXPECT_EQ(error({.endpoint = "/v1/embeddings", .completion_window = "soon"}), "completion_window: expected a duration such as \"24h\"");
  EXPECT_NE(
      error({.endpoint = "/v1/embeddings", .input_file = "file-x", .completion_window = "24h"}).find("input_file_id: there is no file"),
      std::string::npos);
}

}  // namespace
}  // namespace puna::batch
