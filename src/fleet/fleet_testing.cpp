#include "fleet/fleet_testing.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>

#include <fstream>

#include "os/descriptor.h"
#include "os/file.h"

namespace puna::fleet::testing {

FleetTest::FleetTest(std::filesystem::path program) {
  options_.stop_grace = Milliseconds(2'000);
  fleet_ =
      std::make_unique<Fleet>(FleetParts{.io = io_,
                                         .http = http_,
                                         .events = events_,
                                         .options = [this] { return options_; },
                                         .resolve = [this](std::string name) { return resolve(std::move(name)); },
                                         .places = {.program = std::move(program), .sockets = folder() / "s", .logs = folder() / "logs"},
                                         .memory = [this] { return memory_.value_or(os::probe_memory()); },
                                         .database = &database_});
  std::filesystem::create_directories(folder() / "models");
}

net::Task<Result<Launch>> FleetTest::resolve(std::string name) {
  if (const auto launch = launches_.find(name); launch != launches_.end()) co_return launch->second;
  const auto known = files_.find(name);
  const auto file = known == files_.end() ? folder() / "models" / name : known->second;
  Launch out{.name = std::move(name), .file = file};
  if (const auto projector = projectors_.find(out.name); projector != projectors_.end()) out.projector = projector->second;
  out.life.pinned = pinned_.contains(out.name);
  co_return out;
}

void FleetTest::TearDown() {
  if (!fleet_) return;
  const auto ended = run(fleet_->shutdown(Milliseconds(0)));
  EXPECT_TRUE(ended) << ended.error().text();
}

void FleetTest::script(std::string_view model, std::string_view text) const {
  std::ofstream(folder() / "models" / model) << text << '\n';
}

void FleetTest::size(const std::string& model, Bytes bytes) {
  const auto file = folder() / (model + ".size");
  std::ofstream(file).put('\0');
  std::filesystem::resize_file(file, bytes.count);  // takes no room
  projectors_[model] = file;
}

std::string FleetTest::gate(std::string_view name) const {
  const auto path = folder() / name;
  EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0) << path;
  return "gate " + path.string();
}

void FleetTest::open_gate(std::string_view name) {
  // Fails while nobody waits at the other end.
  until([path = folder() / name] { return static_cast<bool>(os::UniqueFd(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC))); });
}

Result<Lease> FleetTest::acquire(std::string model, LeaseOptions options) {
  return run(fleet_->acquire(std::move(model), std::move(options)));
}

void FleetTest::until(const std::function<bool()>& condition) {
  const auto waited = run([](FleetTest& test, const std::function<bool()>& holds) -> net::Task<Result<>> {
    while (true) {
      const auto seen = test.happened_.epoch();
      if (holds()) co_return Result<>();
      const auto woken = co_await test.happened_.wait(seen, Milliseconds(5));
      if (!woken && woken.error().code != Code::deadline_exceeded) co_return woken;
    }
  }(*this, condition));
  EXPECT_TRUE(waited) << waited.error().text();
}

void FleetTest::until_state(std::string_view model, wire::WorkerState state) {
  until([&] {
    const auto states = told_states(model);
    return !states.empty() && states.back() == state;
  });
}

Result<net::HttpResponse> FleetTest::chat(const Lease& lease) {
  auto request = net::HttpRequest::to_socket(lease.socket(), "POST", "/v1/chat/completions");
  request.body = "{}";
  return run(http_.fetch(std::move(request)));
}

wire::RunningModel FleetTest::look(std::string_view model) const {
  if (!fleet_) return {};
  for (auto& listed : fleet_->list())
    if (listed.name == model) return std::move(listed);
  return {};
}

std::vector<wire::RunningModel> FleetTest::told(std::string_view type, std::string_view model) const {
  std::vector<wire::RunningModel> out;
  for (const auto& event : events_.since(0, 100'000).events) {
    if (event->type != type) continue;
    auto view = json::decode<wire::RunningModel>(event->data);
    EXPECT_TRUE(view);
    if (view && view->name == model) out.push_back(std::move(*view));
  }
  return out;
}

std::vector<wire::WorkerState> FleetTest::told_states(std::string_view model) const {
  std::vector<wire::WorkerState> out;
  for (const auto& view : told("worker.state", model)) out.push_back(view.state);
  return out;
}

std::vector<double> FleetTest::told_progress(std::string_view model) const {
  std::vector<double> out;
  for (const auto& view : told("worker.progress", model)) out.push_back(view.load_progress);
  return out;
}

void send_signal(std::int64_t process, int signal) {
  EXPECT_EQ(::kill(static_cast<pid_t>(process), signal), 0) << process;
}

bool is_gone(std::int64_t process) {
  return ::kill(static_cast<pid_t>(process), 0) != 0;
}

bool is_stopped(std::int64_t process) {
  const auto text = os::read_file(fmt::format("/proc/{}/stat", process), kib(4));  // "4711 (name) T …"
  return text && text->find(") T ") != std::string::npos;
}

}  // namespace puna::fleet::testing
