// Lives that go wrong, and engines that are not ours, with real processes.
#include <gmock/gmock.h>
#include <signal.h>

#include <fstream>

#include "fleet/fleet_testing.h"
#include "net/http_server.h"

namespace puna::fleet::testing {
namespace {

using wire::WorkerFault;
using enum wire::WorkerState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FleetLives : public FleetTest {
 protected:
  // A launch of the name, to be changed.
  Launch& launch(const std::string& name) {
    launches_[name] = {.name = name, .file = folder() / "models" / name};
    return launches_[name];
  }
  Launch& command(const std::string& name, std::vector<std::string> words) {
    auto& out = launch(name);
    out.kind = wire::EngineKind::command;
    out.command = std::move(words);
    out.file.clear();
    return out;
  }
  // Our scripted worker as any other program.
  Launch& scripted_command(const std::string& name) {
    return command(name, {PUNA_SCRIPTED_WORKER, "worker", "--model", (folder() / "models" / name).string(), "--socket", "{socket}"});
  }
  Error failure(const std::string& name) {
    const auto lease = acquire(name);
    EXPECT_FALSE(lease);
    return lease ? Error() : lease.error();
  }
  void until_given_up(const std::string& name) {
    until([&] { return look(name).gave_up; });
  }
};

// ledger: M11 M12
TEST_F(FleetLives, end_for_want_of_memory_with_the_limit_in_the_reason) {
  script("m", "allocate 2000\nready");
  launch("m").memory_limit = mib(64);
  const Error error = failure("m");
  EXPECT_EQ(error.code, Code::out_of_memory);
  EXPECT_EQ(failure_of("m").fault, WorkerFault::out_of_memory);
  EXPECT_THAT(error.message, HasSubstr("its memory_limit is 64.0 MiB"));
}

// ledger: M12
TEST_F(FleetLives, begin_again_by_themselves_when_they_should) {
  script("m", "");
  launch("m").life = {.restart = wire::RestartPolicy::on_failure, .restart_attempts = 3};
  ASSERT_TRUE(acquire("m"));
  const auto first = pid_of("m");
  send_signal(first, SIGKILL);
  until([&] { return pid_of("m") != 0 && pid_of("m") != first && look("m").state == ready; });
}

// ledger: M11 M12
TEST_F(FleetLives, are_given_up_after_a_crash_loop_and_say_so) {
  options_.backoff_base = Milliseconds(1);
  script("m", "exit 3");
  launch("m").life = {.restart = wire::RestartPolicy::on_failure, .restart_attempts = 3};
  EXPECT_NE(failure("m").message, "");
  until_given_up("m");
  EXPECT_EQ(look("m").failures, 4);
  EXPECT_TRUE(told("worker.state", "m").back().gave_up);
  const Error refused = failure("m");
  EXPECT_EQ(refused.code, Code::unavailable);
  EXPECT_THAT(refused.message, HasSubstr("failed 4 times in a row and was given up: `puna profile start m` tries again"));
  script("m", "");
  fleet_->forgive("m");
  EXPECT_TRUE(acquire("m"));
}

TEST_F(FleetLives, that_were_given_up_are_tried_again_when_they_are_changed) {
  script("m", "exit 3");
  launch("m").life = {.restart = wire::RestartPolicy::on_failure, .restart_attempts = 0};
  EXPECT_NE(failure("m").message, "");
  until_given_up("m");
  script("m", "");
  launches_["m"].engine.slots = 2;
  EXPECT_TRUE(acquire("m"));
}

TEST_F(FleetLives, do_not_begin_again_once_they_are_unloaded) {
  options_.backoff_base = Milliseconds(60'000);
  script("m", "exit 3");
  launch("m").life = {.restart = wire::RestartPolicy::on_failure};
  EXPECT_NE(failure("m").message, "");
  until([&] { return look("m").failures == 2; });  // the first restart comes at once, the next one in a minute
  ASSERT_TRUE(run(fleet_->unload("m")));
  EXPECT_EQ(look("m").name, "");
  EXPECT_EQ(fleet_->running(), 0U);
}

// ledger: M13
TEST_F(FleetLives, end_with_their_memory_back) {
  script("m", "allocate 200\nready");
  ASSERT_TRUE(acquire("m"));
  ASSERT_TRUE(run(fleet_->unload("m")));
  const auto last = told("worker.state", "m").back();
  EXPECT_EQ(last.state, stopped);
  EXPECT_GT(last.returned_bytes.value_or(0), 100 << 20);
}

// ledger: M11 M13
TEST_F(FleetLives, drain_before_they_stop) {
  script("m", "");
  Outcome<void> unloaded;
  net::Spawned unloading;
  {
    const auto lease = acquire("m");
    unloading = begin(fleet_->unload("m"), unloaded);
    until_state("m", draining);
  }
  until([&] { return unloaded.known; });
  const auto states = told_states("m");
  EXPECT_THAT(std::vector(states.end() - 3, states.end()), ElementsAre(draining, stopping, stopped));
}

using FleetCommands = FleetLives;

// ledger: M7
TEST_F(FleetCommands, serve_when_they_answer) {
  script("m", "");
  scripted_command("m");
  const auto lease = acquire("m");
  ASSERT_TRUE(lease) << lease.error().text();
  EXPECT_THAT(told_states("m"), ElementsAre(loading, ready));
  EXPECT_TRUE(chat(*lease));
  EXPECT_EQ(look("m").engine, "command");
}

TEST_F(FleetCommands, are_ended_with_what_they_have_started) {
  command("m", {"/bin/sh", "-c", "sleep 600 & echo child $!; wait", "{port}"}).start_deadline = Milliseconds(200);
  EXPECT_EQ(failure("m").code, Code::deadline_exceeded);
  until([&] { return fleet_->running() == 0; });
  ASSERT_FALSE(failure_of("m").log.empty());
  const auto child = std::stoll(failure_of("m").log.front().substr(6));
  until([&] { return is_gone(child); });
}

// ledger: M11
TEST_F(FleetCommands, fail_when_they_are_not_ready_in_time_and_say_what_they_answered) {
  script("m", "sleep");
  scripted_command("m").start_deadline = Milliseconds(50);
  const Error error = failure("m");
  EXPECT_EQ(error.code, Code::deadline_exceeded);
  EXPECT_EQ(failure_of("m").fault, WorkerFault::not_ready);
  EXPECT_THAT(error.message, HasSubstr("not ready after 50 ms"));
}

// ledger: M11
TEST_F(FleetCommands, fail_when_their_port_is_taken) {
  command("m", {"/bin/sh", "-c", "echo 'bind to 127.0.0.1: Address already in use' >&2; exit 1", "{port}"});
  EXPECT_EQ(failure("m").code, Code::unavailable);
  EXPECT_EQ(failure_of("m").fault, WorkerFault::port_taken);
}

// ledger: M11
TEST_F(FleetCommands, fail_when_they_exit_or_are_not_there) {
  command("gone", {"/no/such/program", "{port}"});
  EXPECT_EQ(failure("gone").code, Code::unavailable);
  EXPECT_EQ(failure_of("gone").fault, WorkerFault::spawn_failed);
  command("ends", {"/bin/sh", "-c", "echo enough; exit 7", "{port}"});
  EXPECT_THAT(failure("ends").message, HasSubstr("exit code 7"));
}

class FleetRemotes : public FleetLives {
 protected:
  FleetRemotes() {
    port_ = server_.listen_tcp("127.0.0.1", 0).value().port;
    auto& remote = launch("far");
    remote.kind = wire::EngineKind::remote;
    remote.file.clear();
    remote.url = fmt::format("http://127.0.0.1:{}/api/v1/", port_);
    remote.key_file = (folder() / "key").string();
    remote.served_name = "their-name";
    remote.start_deadline = Milliseconds(500);
    write_key("right");
  }
  void write_key(std::string_view key) const { std::ofstream(folder() / "key") << key << '\n'; }

  net::Task<void> answer(net::ServerRequest& request, net::Responder& responder) {
    const auto key = request.headers.get("Authorization").value_or("");
    const int status = key != "Bearer right" ? 401 : request.path == "/api/health" ? 404 : request.path.starts_with("/api/v1/") ? 200 : 500;
    // ignored: a client that left is the test's to notice
    (void)co_await responder.send({status, {}, "{}"});
  }

  net::HttpServer server_{io_, {}, [this](net::ServerRequest& request, net::Responder& responder) { return answer(request, responder); }};
  std::uint16_t port_ = 0;
};

// ledger: M16
TEST_F(FleetRemotes, serve_with_their_key_and_without_a_process) {
  const auto lease = acquire("far");
  ASSERT_TRUE(lease) << lease.error().text();
  EXPECT_FALSE(look("far").pid);
  EXPECT_EQ(look("far").engine, "remote");
  EXPECT_EQ(lease->endpoint().served_name, "their-name");
  const auto answer = run(http_.fetch(lease->endpoint().request("POST", "/v1/chat/completions")));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
}

TEST_F(FleetRemotes, fail_with_the_key_when_it_is_refused_or_missing) {
  write_key("wrong");
  EXPECT_THAT(failure("far").message, HasSubstr("status 401"));
  EXPECT_EQ(failure_of("far").fault, WorkerFault::key_refused);
  write_key("");
  EXPECT_THAT(failure("far").message, HasSubstr("holds no key"));
}

TEST_F(FleetRemotes, fail_when_nobody_answers) {
  launches_["far"].url = fmt::format("http://127.0.0.1:{}", free_port().value());
  EXPECT_EQ(failure("far").code, Code::deadline_exceeded);
  EXPECT_EQ(failure_of("far").fault, WorkerFault::not_ready);
}

TEST_F(FleetRemotes, are_left_at_once) {
  ASSERT_TRUE(acquire("far"));
  ASSERT_TRUE(run(fleet_->unload("far")));
  EXPECT_EQ(told_states("far").back(), stopped);
}

}  // namespace
}  // namespace puna::fleet::testing
