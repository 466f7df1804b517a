#include "client/launch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>

#include "base/text.h"
#include "client/address.h"
#include "os/process.h"

namespace puna::client {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kReadyDescriptor = 3;

// Readable once stop is requested, for poll().
class StopDescriptor {
 public:
  explicit StopDescriptor(const std::stop_token& stop)
      : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), callback_(stop, Signal{descriptor_.get()}) {}
  [[nodiscard]] int get() const { return descriptor_.get(); }

 private:
  struct Signal {
    int descriptor;
    void operator()() const { ::eventfd_write(descriptor, 1); }
  };
  os::UniqueFd descriptor_;
  std::stop_callback<Signal> callback_;
};

enum class Wake { readable, stopped, late };

Wake wait_readable(int descriptor, int stop_descriptor, Clock::time_point until) {
  while (true) {
    const auto left = std::chrono::ceil<Milliseconds>(until - Clock::now());
    std::array<pollfd, 2> watched{pollfd{stop_descriptor, POLLIN, 0}, pollfd{descriptor, POLLIN, 0}};
    const int ready = ::poll(watched.data(), descriptor < 0 ? 1 : 2, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return Wake::late;
    return watched[0].revents != 0 ? Wake::stopped : Wake::readable;
  }
}

// "error CODE message" as the daemon writes it.
Error told_error(std::string_view line) {
  line.remove_prefix(std::string_view("error ").size());
  const std::size_t space = std::min(line.find(' '), line.size());
  return {code_from_name(line.substr(0, space)).value_or(Code::internal), std::string(trim(line.substr(space)))};
}

Result<> await_ready(int pipe, os::Process& daemon, int stop_descriptor, Clock::time_point until) {
  std::string line;
  while (!line.contains('\n')) {
    switch (wait_readable(pipe, stop_descriptor, until)) {
      case Wake::stopped:
        return fail(Code::cancelled, "interrupted while the daemon was starting");
      case Wake::late:
        return fail(Code::deadline_exceeded, "the daemon did not become ready in time; `puna logs` may tell why");
      case Wake::readable:
        break;
    }
    std::array<char, 1024> buffer;
    const ssize_t count = ::read(pipe, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error(errno, "cannot hear from the starting daemon"));
    if (count == 0) break;
    line.append(buffer.data(), static_cast<std::size_t>(count));
  }
  if (line.starts_with("ready")) return {};
  if (line.starts_with("error ")) return fail(told_error(line.substr(0, line.find('\n'))));
  constexpr Milliseconds kToEnd(1'000);
  const auto status = daemon.wait(kToEnd);
  return fail(Code::unavailable, fmt::format("the daemon ended before it was ready ({}); `puna serve` shows why",
                                             status ? status->text() : std::string("it still runs, but says nothing")));
}

// Another program's daemon has the lock and is about to listen.
Result<> await_other(const os::Places& places, int stop_descriptor, Clock::time_point until) {
  while (!is_listening(places.socket())) {
    constexpr Milliseconds kPause(20);
    if (Clock::now() >= until)
      return fail(Code::deadline_exceeded,
                  fmt::format("a daemon owns {}, but does not answer at {}", places.data.string(), places.socket().string()));
    if (wait_readable(-1, stop_descriptor, Clock::now() + kPause) == Wake::stopped)
      return fail(Code::cancelled, "interrupted while the daemon was starting");
    if (!is_owned(places) && !is_listening(places.socket()))
      return fail(Code::unavailable, "another daemon was starting, but ended before it answered; try again");
  }
  return {};
}

Result<> start_daemon(const LaunchOptions& options, int stop_descriptor, Clock::time_point until) {
  PUNA_TRY(auto pipe, os::make_pipe());
  os::SpawnOptions spawn;
  spawn.argv = {options.program.string(), "serve", "--on-demand", "--ready-fd", std::to_string(kReadyDescriptor)};
  spawn.environment = daemon_environment(options.environment);
  spawn.pass_fds = {{pipe.write.get(), kReadyDescriptor}};
  spawn.new_session = true;
  spawn.die_with_parent = false;
  spawn.working_directory = "/";
  PUNA_TRY(auto daemon, os::Process::spawn(spawn));
  pipe.write.reset();
  PUNA_CHECK(await_ready(pipe.read.get(), daemon, stop_descriptor, until));
  std::move(daemon).detach();
  return {};
}

bool is_passed_on(std::string_view name) {
  constexpr std::array<std::string_view, 10> kNames = {"http_proxy", "https_proxy", "all_proxy",     "no_proxy",     "HTTPS_PROXY",
                                                       "ALL_PROXY",  "NO_PROXY",    "SSL_CERT_FILE", "SSL_CERT_DIR", "GOMP_CPU_AFFINITY"};
  constexpr std::array<std::string_view, 11> kPrefixes = {"PUNA_", "CUDA_", "NVIDIA_", "HIP_",        "GGML_",  "VK_",
                                                          "OMP_",  "HF_",   "HUGGING", "MODELSCOPE_", "OLLAMA_"};
  return std::ranges::find(kNames, name) != kNames.end() ||
         std::ranges::any_of(kPrefixes, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

}  // namespace

// Asks with a shared lock, which a daemon that starts in this very moment could stumble over; the second try in ensure_daemon() is for
// that one.
bool is_owned(const os::Places& places) {
  const os::UniqueFd file(::open(places.lock().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  return file && ::flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

os::Environment daemon_environment(const os::Environment& ours) {
  os::Environment out = os::child_environment(ours);
  for (const auto& [name, value] : ours)
    if (is_passed_on(name)) out.emplace(name, value);
  if (const auto home = out.find("PUNA_HOME"); home != out.end() && !home->second.empty()) {
    std::error_code error;
    const auto absolute = std::filesystem::absolute(home->second, error);
    if (!error) home->second = absolute.string();  // the daemon works in another folder
  }
  return out;
}

Result<std::filesystem::path> own_program() {
  std::error_code error;
  auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return fail(errno_error(error.value(), "cannot find this program's own file"));
  return path;
}

Result<> ensure_daemon(const LaunchOptions& options, std::stop_token stop) {
  const auto until = Clock::now() + options.deadline;
  const StopDescriptor stop_descriptor(stop);
  for (int attempt = 1;; ++attempt) {
    if (is_listening(options.places.socket())) return {};
    auto started = start_daemon(options, stop_descriptor.get(), until);
    if (started) return {};
    const bool lost_the_race = started.error().code == Code::conflict;
    if (lost_the_race && is_owned(options.places)) return await_other(options.places, stop_descriptor.get(), until);
    if (!lost_the_race || attempt == 2) return fail(std::move(started).error().within("cannot start a daemon"));
  }
}

}  // namespace puna::client
