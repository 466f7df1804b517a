#include "hub/transfer/forked_testing.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace puna::hub::transfer::testing_rig {
namespace {

constexpr int kPatienceMilliseconds = 20'000;

std::string read_line(int descriptor) {
  std::string out;
  pollfd waiting{.fd = descriptor, .events = POLLIN, .revents = 0};
  for (char c = 0; ::poll(&waiting, 1, kPatienceMilliseconds) == 1 && ::read(descriptor, &c, 1) == 1 && c != '\n';) out += c;
  return out;
}

void write_line(int descriptor, std::string_view line) {
  if (!os::write_all(descriptor, std::string(line) + "\n")) ::_exit(2);
}

}  // namespace

ForkedChild::ForkedChild(const std::function<void(const std::string&, const Tell&)>& body)
    : to_child_(os::make_pipe().value()), from_child_(os::make_pipe().value()), pid_(::fork()) {
  if (pid_ != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  body(read_line(to_child_.read.get()), [this](std::string_view line) { write_line(from_child_.write.get(), line); });
  ::_exit(0);
}

void ForkedChild::give(std::string_view line) {
  from_child_.write.reset();
  write_line(to_child_.write.get(), line);
}

std::string ForkedChild::told() {
  return read_line(from_child_.read.get());
}

void ForkedChild::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace puna::hub::transfer::testing_rig
