// The fleet with real workers: llama.cpp and a tiny model.
#include <gmock/gmock.h>
#include <signal.h>

#include "fleet/fleet_testing.h"
#include "models/tiny_model.h"

namespace puna::fleet::testing {
namespace {

using wire::WorkerFault;

class FleetWithLlama : public FleetTest {
 protected:
  FleetWithLlama() : FleetTest(PUNA_PROGRAM) {
    options_.threads = 1;
    options_.context_length = 512;
  }
  std::filesystem::path model(std::string_view name, tiny_model::Kind kind) {
    const auto path = folder() / "models" / name;
    EXPECT_TRUE(tiny_model::write(path, kind));
    return path;
  }
  Result<net::HttpResponse> post(const Lease& lease, std::string_view target, std::string body) {
    auto request = net::HttpRequest::to_socket(lease.socket(), "POST", target);
    request.body = std::move(body);
    return run(http_.fetch(std::move(request)));
  }
};

TEST_F(FleetWithLlama, answers_a_chat) {
  model("tiny", tiny_model::Kind::chat);
  const auto lease = acquire("tiny");
  ASSERT_TRUE(lease) << lease.error().text();
  EXPECT_EQ(lease->context_length(), 512);
  const auto answer = post(*lease, "/v1/chat/completions", R"({"messages":[{"role":"user","content":"hello"}],"temperature":0})");
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_NE(answer->body.find(tiny_model::kAnswer), std::string::npos) << answer->body;
}

TEST_F(FleetWithLlama, embeds) {
  model("tiny", tiny_model::Kind::embedding);
  const auto lease = acquire("tiny", {.purpose = Purpose::embed});
  ASSERT_TRUE(lease) << lease.error().text();
  const auto answer = post(*lease, "/v1/embeddings", R"({"input":"wind"})");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
}

// ledger: M12
TEST_F(FleetWithLlama, refuses_a_damaged_file_with_its_fault) {
  const auto path = model("tiny", tiny_model::Kind::chat);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1000);
  const auto lease = acquire("tiny");
  ASSERT_FALSE(lease);
  EXPECT_EQ(lease.error().code, Code::corrupt_data);
  EXPECT_EQ(failure_of("tiny").fault, WorkerFault::model_malformed);
}

// ledger: M11
TEST_F(FleetWithLlama, tells_a_request_that_its_worker_was_killed_and_serves_the_next) {
  model("tiny", tiny_model::Kind::endless);
  options_.context_length = 0;
  {
    auto lease = acquire("tiny");
    ASSERT_TRUE(lease) << lease.error().text();
    Outcome<net::HttpResponse> answer;
    auto request = net::HttpRequest::to_socket(lease->socket(), "POST", "/v1/chat/completions");
    request.body = R"({"messages":[{"role":"user","content":"hello"}]})";
    request.deadlines.first_byte = kForever;
    const auto asking = begin(http_.fetch(std::move(request)), answer);
    ASSERT_TRUE(run(lease->probe()));  // the request before it has arrived
    send_signal(pid_of("tiny"), SIGKILL);
    until([&] { return answer.known; });
    ASSERT_FALSE(answer.result);
    const Error error = net::run_blocking(io_, lease->explain(answer.result.error()));
    EXPECT_EQ(error.code, Code::upstream_failed);
    EXPECT_EQ(failure_of("tiny").fault, WorkerFault::killed);
  }
  EXPECT_TRUE(acquire("tiny"));
}

// ledger: M13
TEST_F(FleetWithLlama, gets_the_memory_back) {
  model("tiny", tiny_model::Kind::chat);
  ASSERT_TRUE(acquire("tiny"));
  const auto pid = pid_of("tiny");
  EXPECT_GT(look("tiny").memory_bytes.value_or(0), 1 << 20);
  ASSERT_TRUE(run(fleet_->unload("tiny")));
  EXPECT_TRUE(is_gone(pid));
}

}  // namespace
}  // namespace puna::fleet::testing
