#include "worker/worker_testing.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <charconv>

#include "os/file.h"

namespace puna::worker::testing {
namespace {

// At least one byte, or none at the end of the stream or of our patience.
std::string read_some(int descriptor) {
  pollfd wanted{descriptor, POLLIN, 0};
  if (::poll(&wanted, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())) <= 0) return {};
  std::array<char, 65536> buffer{};
  const ssize_t got = ::read(descriptor, buffer.data(), buffer.size());
  return got <= 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(got));
}

}  // namespace

HttpConnection::HttpConnection(const std::filesystem::path& socket) : descriptor_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
  EXPECT_EQ(::connect(descriptor_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0) << socket;
}

void HttpConnection::send(std::string_view method, std::string_view target, std::string_view body, bool keep_alive) {
  const std::string request =
      fmt::format("{} {} HTTP/1.1\r\nHost: worker\r\nConnection: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                  method, target, keep_alive ? "keep-alive" : "close", body.size(), body);
  EXPECT_TRUE(os::write_all(descriptor_.get(), request));
}

std::string HttpConnection::receive() {
  return read_some(descriptor_.get());
}

Reply HttpConnection::receive_whole() {
  std::string all;
  for (std::string piece = receive(); !piece.empty(); piece = receive()) all += piece;
  Reply reply;
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  if (!all.starts_with(kVersion)) return reply;
  std::from_chars(all.data() + kVersion.size(), all.data() + all.size(), reply.status);
  const auto body = all.find("\r\n\r\n");
  if (body != std::string::npos) reply.body = all.substr(body + 4);
  return reply;
}

RunningWorker::RunningWorker(const std::filesystem::path& model, const std::vector<std::string>& options, std::optional<Bytes> memory)
    : folder_(*os::TemporaryFolder::create()), socket_(folder_.path() / "w.sock") {
  auto input = *os::make_pipe();
  auto status = *os::make_pipe();
  const os::UniqueFd log(::open((folder_.path() / "log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0600));
  os::SpawnOptions spawn;
  spawn.argv = {PUNA_PROGRAM, "worker",      "--model", model.string(), "--socket", socket_.string(), "--name",
                "tiny",       "--status-fd", "3",       "--threads",    "1"};  // several that spin on a busy machine wait for each other
  spawn.argv.insert(spawn.argv.end(), options.begin(), options.end());
  spawn.environment = os::child_environment();
  spawn.address_space_limit = memory;
  spawn.stdin_fd = input.read.get();
  spawn.stdout_fd = log.get();
  spawn.stderr_fd = log.get();
  spawn.pass_fds = {{status.write.get(), 3}};
  auto process = os::Process::spawn(spawn);
  EXPECT_TRUE(process);
  if (process) process_ = std::make_unique<os::Process>(std::move(*process));
  input_ = std::move(input.write);
  status_ = std::move(status.read);
}

std::optional<wire::WorkerStatus> RunningWorker::next_status() {
  std::size_t end = pending_.find('\n');
  while (end == std::string::npos) {
    const std::string piece = read_some(status_.get());
    if (piece.empty()) return std::nullopt;
    pending_ += piece;
    end = pending_.find('\n');
  }
  const auto status = json::decode_text<wire::WorkerStatus>(pending_.substr(0, end));
  EXPECT_TRUE(status) << pending_;
  pending_.erase(0, end + 1);
  return status.value_or(wire::WorkerStatus());
}

wire::WorkerStatus RunningWorker::outcome() {
  while (const auto status = next_status()) {
    if (status->report != wire::WorkerReport::loading) return *status;
    progress_.push_back(status->progress.value_or(-1));
  }
  ADD_FAILURE() << "the worker ended without a word:\n" << log();
  return {};
}

Reply RunningWorker::post(std::string_view target, std::string_view body) const {
  auto connection = connect();
  connection.send("POST", target, body);
  return connection.receive_whole();
}

Reply RunningWorker::get(std::string_view target) const {
  auto connection = connect();
  connection.send("GET", target, "");
  return connection.receive_whole();
}

std::string RunningWorker::log() const {
  return os::read_file(folder_.path() / "log", mib(16)).value_or("");
}

os::ExitStatus RunningWorker::wait() {
  const auto status = process_->wait(kPatience);
  EXPECT_TRUE(status) << "the worker does not end";
  return status.value_or(os::ExitStatus{});
}

}  // namespace puna::worker::testing
