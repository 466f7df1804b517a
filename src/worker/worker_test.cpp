#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "gguf/writer.h"
#include "models/tiny_model.h"
#include "worker/worker_testing.h"

namespace puna::worker::testing {
namespace {

using wire::WorkerFault;
using wire::WorkerReport;

class Worker : public ::testing::Test {
 protected:
  std::filesystem::path model(tiny_model::Kind kind = tiny_model::Kind::chat) {
    const auto path = folder_.path() / "tiny.gguf";
    EXPECT_TRUE(tiny_model::write(path, kind));
    return path;
  }
  os::TemporaryFolder folder_ = *os::TemporaryFolder::create();
};

std::string question(std::string_view text, std::string_view more = "") {
  return fmt::format(R"({{"messages":[{{"role":"user","content":"{}"}}],"temperature":0{}}})", text, more);
}

// ledger: M9
TEST_F(Worker, reports_rising_progress_and_then_readiness) {
  RunningWorker worker(model(), {"--context", "300", "--slots", "3", "--threads", "2"});
  const auto status = worker.outcome();
  EXPECT_EQ(status.report, WorkerReport::ready);
  EXPECT_EQ(status.context_length, 300);
  EXPECT_EQ(status.slots, 3);
  EXPECT_EQ(status.threads, 2);
  ASSERT_GE(worker.progress().size(), 2U);
  EXPECT_EQ(std::ranges::adjacent_find(worker.progress(), std::greater_equal<>()), worker.progress().end());
  EXPECT_GT(worker.progress().back(), 0.9);
}

TEST_F(Worker, answers_on_a_socket_that_only_its_user_can_open) {
  RunningWorker worker(model());
  ASSERT_EQ(worker.outcome().report, WorkerReport::ready);
  struct stat info{};
  ASSERT_EQ(::stat(worker.socket().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  const auto reply = worker.post("/v1/chat/completions", question("hello"));
  EXPECT_EQ(reply.status, 200);
  EXPECT_NE(reply.body.find(tiny_model::kAnswer), std::string::npos) << reply.body;
}

TEST_F(Worker, gives_every_slot_its_whole_context_at_the_same_time) {
  RunningWorker worker(model(), {"--context", "256", "--slots", "2"});
  ASSERT_EQ(worker.outcome().report, WorkerReport::ready);
  std::string words;  // of five tokens each: more than half of one slot's context
  for (int i = 0; i < 35; ++i) words += "wind ";
  std::array<HttpConnection, 2> connections = {worker.connect(), worker.connect()};
  for (auto& connection : connections) connection.send("POST", "/v1/chat/completions", question(words));
  for (auto& connection : connections) EXPECT_EQ(connection.receive_whole().status, 200);
}

TEST_F(Worker, refuses_a_prompt_that_does_not_fit) {
  RunningWorker worker(model(), {"--context", "256"});
  ASSERT_EQ(worker.outcome().report, WorkerReport::ready);
  std::string words;
  for (int i = 0; i < 1000; ++i) words += "wind ";
  const auto reply = worker.post("/v1/chat/completions", question(words));
  EXPECT_EQ(reply.status, 400);
  EXPECT_NE(reply.body.find(R"("code":"context_length_exceeded")"), std::string::npos) << reply.body;
}

// ledger: F11
TEST_F(Worker, refuses_in_the_shape_of_openai) {
  RunningWorker worker(model());
  ASSERT_EQ(worker.outcome().report, WorkerReport::ready);
  for (const std::string_view body : {R"({"messages":)", R"({"messages":7})", R"({})"}) {
    const auto reply = worker.post("/v1/chat/completions", body);
    EXPECT_EQ(reply.status, 400) << body;
    const auto error = json::parse_object(reply.body);
    ASSERT_TRUE(error) << reply.body;
    EXPECT_EQ(error->at("error").at("type"), "invalid_request_error");
    EXPECT_TRUE(error->at("error").at("message").is_string());
  }
}

TEST_F(Worker, answers_no_route_that_it_does_not_need) {
  RunningWorker worker(model());
  ASSERT_EQ(worker.outcome().report, WorkerReport::ready);
  for (const std::string_view target : {"/", "/tools", "/cors-proxy?url=http://example.com", "/v1/models", "/lora-adapters"})
    EXPECT_EQ(worker.get(target).status, 404) << target;
  EXPECT_EQ(worker.post("/props", "{}").status, 404);
  EXPECT_EQ(worker.post("/v1/embeddings", R"({"input":"x"})").status, 404);
}

// ledger: T14
TEST_F(Worker, keeps_prompts_and_answers_out_of_its_log) {
  RunningWorker worker(model());
  ASSERT_EQ(worker.outcome().report, WorkerReport::ready);
  EXPECT_EQ(worker.post("/v1/chat/completions", question("secretword in a good request")).status, 200);
  EXPECT_NE(worker.post("/v1/chat/completions", question("secretword", R"(,"grammar":"root ::= secretword (")")).status, 200);
  EXPECT_NE(worker.post("/v1/chat/completions", R"({"messages":[{"role":"secretword)").status, 200);
  EXPECT_EQ(worker.log().find("secretword"), std::string::npos) << worker.log();
  EXPECT_EQ(worker.log().find("Llamas walk"), std::string::npos);
}

TEST_F(Worker, is_not_starved_by_idle_connections) {
  RunningWorker worker(model());
  ASSERT_EQ(worker.outcome().report, WorkerReport::ready);
  std::vector<HttpConnection> idle;
  for (int i = 0; i < 100; ++i) {
    idle.push_back(worker.connect());
    idle.back().send("GET", "/health", "", true);
    ASSERT_FALSE(idle.back().receive().empty());
  }
  EXPECT_EQ(worker.post("/v1/chat/completions", question("hello")).status, 200);
}

TEST_F(Worker, stops_generating_when_the_client_goes_away) {
  RunningWorker worker(model(tiny_model::Kind::endless), {"--slots", "1", "--context", "0"});
  ASSERT_EQ(worker.outcome().report, WorkerReport::ready);
  {
    auto leaving = worker.connect();
    leaving.send("POST", "/v1/chat/completions", question("hello", R"(,"stream":true)"));
    ASSERT_FALSE(leaving.receive().empty());
  }
  // The only slot is free again, long before the endless answer would have filled its context.
  EXPECT_EQ(worker.post("/v1/chat/completions", question("again", R"(,"max_tokens":1)")).status, 200);
}

// ledger: M13
TEST_F(Worker, ends_at_once_when_it_is_told_to_while_it_generates) {
  RunningWorker worker(model(tiny_model::Kind::endless), {"--context", "0"});
  ASSERT_EQ(worker.outcome().report, WorkerReport::ready);
  auto reader = worker.connect();
  reader.send("POST", "/v1/chat/completions", question("hello", R"(,"stream":true)"));
  ASSERT_FALSE(reader.receive().empty());
  ASSERT_TRUE(worker.process().send_signal(SIGTERM));
  EXPECT_EQ(worker.wait().code, 0);
  EXPECT_FALSE(std::filesystem::exists(worker.socket()));
}

TEST_F(Worker, ends_when_the_daemon_has_gone) {
  RunningWorker worker(model());
  ASSERT_EQ(worker.outcome().report, WorkerReport::ready);
  worker.close_input();
  EXPECT_EQ(worker.wait().code, 0);
}

// ledger: M12
TEST_F(Worker, tells_a_missing_file_from_a_damaged_one) {
  RunningWorker without(folder_.path() / "none.gguf");
  const auto missing = without.outcome();
  EXPECT_EQ(missing.fault, WorkerFault::model_missing);
  EXPECT_NE(missing.message.value_or("").find("none.gguf"), std::string::npos);
  EXPECT_EQ(without.wait().code, 1);

  const auto path = model();
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  RunningWorker with_half(path);
  EXPECT_EQ(with_half.outcome().fault, WorkerFault::model_malformed);
  EXPECT_EQ(with_half.wait().code, 1);
}

// ledger: M12
TEST_F(Worker, says_when_the_architecture_is_unknown) {
  gguf::Writer writer;
  writer.set("general.architecture", std::string("gpt9"));
  const std::vector<std::byte> zeros(32 * sizeof(float));
  ASSERT_TRUE(writer.add_tensor("token_embd.weight", gguf::TensorType::f32, {32}, zeros));
  ASSERT_TRUE(writer.write(folder_.path() / "odd.gguf"));
  RunningWorker worker(folder_.path() / "odd.gguf");
  const auto outcome = worker.outcome();
  EXPECT_EQ(outcome.fault, WorkerFault::model_unsupported);
  EXPECT_NE(outcome.message.value_or("").find("gpt9"), std::string::npos);
}

// ledger: M12
TEST_F(Worker, says_so_when_the_context_does_not_fit_into_memory) {
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "sanitizers reserve more address space than the test allows";
#endif
  RunningWorker worker(model(), {"--context", "32768", "--slots", "256"}, mib(900));  // its cache takes 2 GiB
  const auto outcome = worker.outcome();
  EXPECT_EQ(outcome.fault, WorkerFault::out_of_memory) << outcome.message.value_or("");
}

TEST_F(Worker, embeds_texts_and_refuses_one_that_is_too_long) {
  RunningWorker worker(model(tiny_model::Kind::embedding), {"--mode", "embed"});
  ASSERT_EQ(worker.outcome().report, WorkerReport::ready);
  EXPECT_EQ(worker.post("/v1/embeddings", R"({"input":["wind","snow"]})").status, 200);
  std::string words;
  for (std::uint32_t i = 0; i < tiny_model::kEmbeddingContextLength + 100; ++i) words += "wind ";
  const auto reply = worker.post("/v1/embeddings", fmt::format(R"({{"input":"{}"}})", words));
  EXPECT_EQ(reply.status, 400) << reply.body;
  EXPECT_NE(reply.body.find("context_length_exceeded"), std::string::npos) << reply.body;
}

TEST_F(Worker, checks_a_file_without_loading_it) {
  auto output = *os::make_pipe();
  auto process = os::Process::spawn({.argv = {PUNA_PROGRAM, "worker", "--check", model().string()},
                                     .environment = os::child_environment(),
                                     .stdout_fd = output.write.get()});
  ASSERT_TRUE(process);
  EXPECT_EQ(process->wait(kPatience)->code, 0);
  std::array<char, 4096> buffer{};
  const auto got = ::read(output.read.get(), buffer.data(), buffer.size());
  const auto report = json::decode_text<wire::CheckReport>({buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))});
  ASSERT_TRUE(report);
  const auto summary = report->summary.value_or(json::object());
  ASSERT_TRUE(summary.contains("architecture"));
  EXPECT_EQ(summary.at("architecture"), "llama");
}

}  // namespace
}  // namespace puna::worker::testing
