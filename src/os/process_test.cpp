#include "os/process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <thread>

#include "base/text.h"
#include "os/temporary_folder.h"

namespace puna::os {
namespace {

using testing::HasSubstr;
constexpr std::chrono::milliseconds kDeadline{30'000};

struct Outcome {
  std::string output;
  ExitStatus status;
};

std::string read_to_end(int descriptor) {
  std::string out;
  char buffer[4096];
  for (ssize_t got; (got = ::read(descriptor, buffer, sizeof(buffer))) > 0;) out.append(buffer, static_cast<std::size_t>(got));
  return out;
}

Outcome run(SpawnOptions options) {
  Pipe pipe = make_pipe().value();
  options.stdout_fd = pipe.write.get();
  Process child = Process::spawn(options).value();
  pipe.write.reset();
  Outcome out;
  out.output = read_to_end(pipe.read.get());
  out.status = child.wait(kDeadline).value();
  return out;
}

SpawnOptions script(std::string text) {
  return {.argv = {"/bin/sh", "-c", std::move(text)}, .environment = {{"PATH", "/usr/bin:/bin"}}};
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

bool ends_before_deadline(int pidfd) {
  pollfd wanted{pidfd, POLLIN, 0};
  return ::poll(&wanted, 1, static_cast<int>(kDeadline.count())) == 1;
}

// ledger: M7
TEST(Process, arguments_reach_the_program_as_they_are) {
  const auto outcome = run({.argv = {"/bin/echo", "a b", "$HOME; rm -rf x", "*"}});
  EXPECT_EQ(outcome.output, "a b $HOME; rm -rf x *\n");
  EXPECT_TRUE(outcome.status.ok());
}

TEST(Process, a_child_sees_the_environment_it_was_given_and_no_other) {
  ::setenv("PUNA_TEST_API_KEY", "sk-secret", 1);
  EXPECT_EQ(run({.argv = {"/usr/bin/env"}, .environment = {{"LANG", "C"}}}).output, "LANG=C\n");
  EXPECT_THAT(run({.argv = {"/usr/bin/env"}, .environment = child_environment()}).output, Not(HasSubstr("sk-secret")));
  ::unsetenv("PUNA_TEST_API_KEY");
}

TEST(Process, a_child_inherits_no_descriptor_but_those_given) {
  const UniqueFd leaky(::open("/dev/null", O_RDONLY));  // not close-on-exec, as a library might open it
  auto options = script("echo /proc/self/fd/*");
  EXPECT_EQ(run(options).output, "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3\n");  // 3: the listed folder
  options.pass_fds = {{leaky.get(), 9}};
  EXPECT_THAT(run(options).output, HasSubstr("/proc/self/fd/9"));
}

TEST(Process, descriptors_may_swap_their_numbers) {
  Pipe first = make_pipe().value();
  Pipe second = make_pipe().value();
  const int one = first.write.get();
  const int two = second.write.get();
  auto options = script(fmt::format("echo second >/proc/self/fd/{}; echo first >/proc/self/fd/{}", one, two));
  options.pass_fds = {{one, two}, {two, one}};
  EXPECT_TRUE(run(options).status.ok());
  first.write.reset();
  second.write.reset();
  EXPECT_EQ(read_to_end(first.read.get()), "first\n");
  EXPECT_EQ(read_to_end(second.read.get()), "second\n");
}

TEST(Process, a_program_that_cannot_be_executed_is_a_typed_error) {
  const auto missing = Process::spawn({.argv = {"/no/such/program"}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::not_found);
  EXPECT_THAT(missing.error().message, HasSubstr("/no/such/program"));
  const auto folder = Process::spawn({.argv = {"/"}});
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, Code::permission_denied);
}

TEST(Process, what_cannot_be_handed_over_is_refused) {
  EXPECT_EQ(Process::spawn({}).error().code, Code::invalid_argument);
  EXPECT_EQ(Process::spawn({.argv = {"/bin/echo", std::string("a\0b", 3)}}).error().code, Code::invalid_argument);
  EXPECT_EQ(Process::spawn({.argv = {"/bin/echo"}, .environment = {{"A=B", "x"}}}).error().code, Code::invalid_argument);
  EXPECT_EQ(Process::spawn({.argv = {"/bin/echo"}, .pass_fds = {{0, 1}}}).error().code, Code::invalid_argument);
  EXPECT_EQ(Process::spawn({.argv = {"/bin/pwd"}, .working_directory = "/no/such/folder"}).error().code, Code::not_found);
}

TEST(Process, an_exit_is_told_from_a_death_by_signal) {
  EXPECT_EQ(run(script("exit 3")).status.text(), "exit code 3");
  EXPECT_EQ(run(script("kill -9 $$")).status.text(), "signal 9 (KILL)");
  EXPECT_EQ(run(script("kill -SEGV $$")).status.signal, SIGSEGV);
}

TEST(Process, its_descriptor_tells_the_end_without_polling) {
  Process child = Process::spawn(script("exit 0")).value();
  EXPECT_TRUE(ends_before_deadline(child.pidfd()));
  EXPECT_TRUE(child.try_wait().value_or(ExitStatus{}).ok());
  EXPECT_EQ(child.send_signal(SIGTERM).error().code, Code::conflict);
}

TEST(Process, waiting_ends_at_its_deadline) {
  Process child = Process::spawn({.argv = {"/bin/sleep", "600"}}).value();
  EXPECT_FALSE(child.try_wait());
  EXPECT_EQ(child.wait(std::chrono::milliseconds(1)).error().code, Code::deadline_exceeded);
  EXPECT_TRUE(child.send_signal(SIGTERM));
  EXPECT_EQ(child.wait(kDeadline).value().signal, SIGTERM);
}

TEST(Process, its_destructor_kills_and_reaps) {
  pid_t pid = 0;
  {
    const Process child = Process::spawn({.argv = {"/bin/sleep", "600"}}).value();
    pid = child.pid();
    EXPECT_EQ(process_name(pid), "sleep");
  }
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(process_name(pid), "");
}

TEST(Process, a_detached_child_lives_on) {
  pid_t pid = 0;
  {
    Process child = Process::spawn({.argv = {"/bin/sleep", "600"}, .die_with_parent = false}).value();
    pid = child.pid();
    std::move(child).detach();
  }
  EXPECT_EQ(::kill(pid, 0), 0);
  ::kill(pid, SIGKILL);
  EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
}

TEST(Process, a_grandchild_dies_when_its_parent_is_killed) {
  Pipe pipe = make_pipe().value();
  const pid_t parent = ::fork();
  if (parent == 0) {
    const auto grandchild = Process::spawn({.argv = {"/bin/sleep", "600"}});
    const pid_t pid = grandchild ? grandchild->pid() : 0;
    if (::write(pipe.write.get(), &pid, sizeof(pid)) != sizeof(pid)) ::_exit(1);
    while (true) ::pause();
  }
  pid_t grandchild = 0;
  ASSERT_EQ(::read(pipe.read.get(), &grandchild, sizeof(grandchild)), static_cast<ssize_t>(sizeof(grandchild)));
  const UniqueFd watch(static_cast<int>(::syscall(SYS_pidfd_open, grandchild, 0)));
  ASSERT_TRUE(watch);
  ::kill(parent, SIGKILL);
  EXPECT_TRUE(ends_before_deadline(watch.get()));
  EXPECT_EQ(::waitpid(parent, nullptr, 0), parent);
}

// ledger: M3
TEST(Process, a_thousand_starts_and_crashes_leave_no_descriptor) {
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 350; ++i) {
    Pipe pipe = make_pipe().value();
    EXPECT_TRUE(Process::spawn({.argv = {"/bin/true"}, .stdout_fd = pipe.write.get()}).value().wait(kDeadline)->ok());
    EXPECT_EQ(Process::spawn(script("kill -ABRT $$")).value().wait(kDeadline)->signal, SIGABRT);
    EXPECT_TRUE(Process::spawn({.argv = {"/bin/sleep", "600"}}));  // killed by its destructor
    EXPECT_FALSE(Process::spawn({.argv = {"/no/such/program"}}));
  }
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);  // and no zombie
}

TEST(Process, a_child_starts_with_default_signals) {
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  sigset_t blocked;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  EXPECT_EQ(run(script("kill -PIPE $$; exit 0")).status.signal, SIGPIPE);
  EXPECT_EQ(run(script("kill -TERM $$; exit 0")).status.signal, SIGTERM);
  ::pthread_sigmask(SIG_UNBLOCK, &blocked, nullptr);
  ::signal(SIGPIPE, before);
}

TEST(Process, streams_that_are_not_given_lead_nowhere) {
  Process child = Process::spawn({.argv = {"/bin/cat"}}).value();
  EXPECT_TRUE(child.wait(kDeadline)->ok());
}

TEST(Process, limits_folder_and_session_are_the_childs_own) {
  const auto folder = TemporaryFolder::create().value();
  auto options =
      script("ulimit -v; ulimit -c; pwd -P; read -r pid name state parent group session rest </proc/self/stat; [ $pid = $session ]");
  options.address_space_limit = mib(512);
  options.working_directory = folder.path();
  options.new_session = true;
  const auto outcome = run(options);
  EXPECT_EQ(outcome.output, fmt::format("{}\n0\n{}\n", 512 * 1024, std::filesystem::canonical(folder.path()).string()));
  EXPECT_TRUE(outcome.status.ok());
}

// ledger: T15
TEST(Process, several_threads_may_start_children_at_once) {
  std::atomic<int> ended = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] {
        for (int j = 0; j < 10; ++j) ended += run({.argv = {"/bin/echo", "x"}}).output == "x\n";
      });
  }
  EXPECT_EQ(ended, 80);
}

TEST(ChildEnvironment, passes_places_and_language_and_drops_everything_else) {
  const Environment ours = {{"PATH", "/bin"},        {"HOME", "/home/a"},     {"LANG", "C"},     {"LC_ALL", "C"},
                            {"TMPDIR", "/t"},        {"XDG_DATA_HOME", "/d"}, {"HF_TOKEN", "t"}, {"OPENAI_API_KEY", "k"},
                            {"PUNA_VAULT_KEY", "v"}, {"LD_PRELOAD", "x"}};
  const Environment expected = {{"PATH", "/bin"}, {"HOME", "/home/a"}, {"LANG", "C"},
                                {"LC_ALL", "C"},  {"TMPDIR", "/t"},    {"XDG_DATA_HOME", "/d"}};
  EXPECT_EQ(child_environment(ours), expected);
}

}  // namespace
}  // namespace puna::os
