#include "fakes/hub/hub.h"

#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <list>
#include <thread>

namespace puna::fakes {
namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds kPatience{20};

// One address for each role: clients that look at host names alone see other sites.
std::string_view address_of(Role role) {
  switch (role) {
    case Role::storage:
      return "127.0.0.2";
    case Role::mirror:
      return "127.0.0.3";
    case Role::foreign:
      return "127.0.0.4";
    case Role::hub:
    case Role::registry:
    case Role::modelscope:
    case Role::web:
      return "127.0.0.1";
  }
  return "127.0.0.1";
}

boost::system::error_code bind(asio::ip::tcp::acceptor& acceptor, const asio::ip::tcp::endpoint& endpoint) {
  boost::system::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  return error;
}

}  // namespace

// A role's listener and its connections.
struct Hub::Line {
  explicit Line(Role which) : role(which), holder(context), acceptor(context) {}

  struct Worker {
    std::unique_ptr<Connection> connection;
    std::jthread thread;
    std::atomic<bool> done{false};
  };

  Role role;
  std::string host;
  std::uint16_t port = 0;
  asio::io_context context;
  asio::ip::tcp::acceptor holder;  // never listens: keeps the port from others while the role is shut
  asio::ip::tcp::acceptor acceptor;
  std::thread listener;
  std::mutex mutex;  // guards workers
  std::list<Worker> workers;
};

Hub::Hub(os::TemporaryFolder folder) : folder_(std::move(folder)) {
  world_.folder = folder_.path();
}

Result<std::unique_ptr<Hub>> Hub::start(const ScenarioSpec& scenario) {
  PUNA_TRY(auto folder, os::TemporaryFolder::create());
  std::unique_ptr<Hub> out(new Hub(std::move(folder)));
  PUNA_CHECK(out->listen(scenario));
  PUNA_CHECK(out->fill(scenario));
  return out;
}

// NOLINTNEXTLINE(bugprone-exception-escape): a test whose hub cannot be ended may end here.
Hub::~Hub() {
  gates_.stop();
  for (auto& [role, line] : lines_) close(*line);
}

Result<> Hub::fill(const ScenarioSpec& scenario) {
  for (const auto& one : scenario.users.value_or(std::vector<UserSpec>())) add(one);
  for (const auto& one : scenario.repositories.value_or(std::vector<RepositorySpec>())) PUNA_CHECK(add(one));
  for (const auto& one : scenario.modelscope.value_or(std::vector<RepositorySpec>())) PUNA_CHECK(add_modelscope(one));
  for (const auto& one : scenario.models.value_or(std::vector<RegistryModelSpec>())) PUNA_CHECK(add(one));
  for (const auto& one : scenario.web.value_or(std::vector<FileSpec>())) PUNA_CHECK(add_web(one));
  for (const auto& one : scenario.faults.value_or(std::vector<HubFault>())) fault(one);
  const std::lock_guard lock(mutex_);
  world_.settings = scenario;
  world_.settings.repositories.reset();
  return {};
}

Result<> Hub::listen(const ScenarioSpec& scenario) {
  for (const auto role : {Role::hub, Role::mirror, Role::storage, Role::foreign, Role::registry, Role::modelscope, Role::web}) {
    auto line = std::make_unique<Line>(role);
    line->host = address_of(role);
    for (const auto& spec : scenario.roles.value_or(std::vector<RoleSpec>())) {
      if (spec.role != role) continue;
      line->port = static_cast<std::uint16_t>(spec.port.value_or(0));
      line->host = spec.host.value_or(line->host);
      if (spec.pace) world_.paces[role] = *spec.pace;
    }
    PUNA_CHECK(open(*line));
    world_.origins[role] = fmt::format("http://{}:{}", line->host, line->port);
    lines_.emplace(role, std::move(line));
  }
  return {};
}

Result<> Hub::open(Line& line) {
  boost::system::error_code error;
  if (!line.holder.is_open()) error = bind(line.holder, {asio::ip::make_address(address_of(line.role)), line.port});
  if (!error) error = bind(line.acceptor, line.holder.local_endpoint());
  if (!error) line.acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return fail(Code::unavailable, fmt::format("cannot listen on {}:{}: {}", line.host, line.port, error.message()));
  line.port = line.acceptor.local_endpoint().port();
  line.listener = std::thread([this, &line] { accept(line); });
  return {};
}

void Hub::accept(Line& line) {
  while (true) {
    boost::system::error_code error;
    asio::ip::tcp::socket socket(line.context);
    line.acceptor.accept(socket, error);
    if (error == asio::error::connection_aborted) continue;
    if (error) return;
    const std::lock_guard lock(line.mutex);
    std::erase_if(line.workers, [](const auto& worker) { return worker.done.load(); });
    auto& worker = line.workers.emplace_back();
    worker.connection = std::make_unique<Connection>(std::move(socket), gates_, folder_.path());
    worker.thread = std::jthread([this, &line, &worker] {
      serve(line, *worker.connection);
      worker.connection->end();
      worker.done = true;
    });
  }
}

void Hub::close(Line& line) {
  if (!line.listener.joinable()) return;
  ::shutdown(line.acceptor.native_handle(), SHUT_RDWR);
  line.listener.join();
  boost::system::error_code ignored;
  line.acceptor.close(ignored);
  const std::lock_guard lock(line.mutex);
  for (auto& worker : line.workers) worker.connection->end();
  line.workers.clear();
}

void Hub::serve(Line& line, Connection& connection) {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);  // sendfile to a peer that is gone
  while (true) {
    Request request;
    request.role = line.role;
    request.origin = fmt::format("http://{}:{}", line.host, line.port);
    if (!connection.read(request) || !answer(line, connection, request)) return;
  }
}

bool Hub::answer(Line& line, Connection& connection, Request& request) {
  if (auto reply = control(request)) {
    spoil({}, *reply);
    return connection.write(request, *reply, {}, {}, [](std::uint64_t) {});
  }
  const auto entry = std::make_shared<Served>(Served{.role = request.role,
                                                     .method = request.method,
                                                     .target = request.target,
                                                     .range = request.header("range"),
                                                     .if_range = request.header("if-range"),
                                                     .authorization = request.header("authorization"),
                                                     .user_agent = request.header("user-agent"),
                                                     .host = request.header("host"),
                                                     .fault = {}});
  std::optional<HubFault> fault;
  Answer reply;
  Pace pace;
  {
    const std::lock_guard lock(mutex_);
    served_.push_back(entry);
    fault = faults_.take(request);
    if (fault) entry->fault = fault->name.value_or("fault");
    pace = world_.paces[line.role];
    reply = answer_of(request, fault);
    entry->status = reply.status;
    entry->from = reply.from;
    changed_.notify_all();
  }
  std::uint64_t before = 0;
  const auto sent = [&](std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    entry->sent = bytes;
    if (const auto grant = world_.grants.find(reply.link); grant != world_.grants.end() && grant->second.left)
      *grant->second.left -= std::min(*grant->second.left, bytes - before);
    before = bytes;
    changed_.notify_all();
  };
  const bool stays = connection.write(request, reply, fault.value_or(HubFault()), pace, sent);
  if (!stays) connection.end();
  note(*entry, [](Served& served) { served.ended = true; });
  return stays;
}

Answer Hub::answer_of(const Request& request, const std::optional<HubFault>& fault) {
  world_.link_bytes = fault ? fault->expire_after : std::nullopt;
  world_.link_ms = fault ? fault->expire_after_ms : std::nullopt;
  if (fault && fault->revoke)
    if (const auto user = world_.users.find(request.token()); user != world_.users.end()) user->second.revoked = true;
  Answer out;
  switch (request.role) {
    case Role::hub:
    case Role::mirror:
      out = hub_answer(world_, request);
      break;
    case Role::storage:
      out = storage_answer(world_, request);
      break;
    case Role::registry:
      out = registry_answer(world_, request);
      break;
    case Role::modelscope:
      out = modelscope_answer(world_, request);
      break;
    case Role::foreign:
    case Role::web:
      out = web_answer(world_, request);
      break;
  }
  spoil(fault.value_or(HubFault()), out);
  return out;
}

void Hub::note(Served& entry, const std::function<void(Served&)>& change) {
  const std::lock_guard lock(mutex_);
  change(entry);
  changed_.notify_all();
}

std::string Hub::origin(Role role) const {
  const auto& line = *lines_.at(role);
  return fmt::format("http://{}:{}", line.host, line.port);
}

Result<> Hub::add(const RepositorySpec& repository) {
  const std::lock_guard lock(mutex_);
  return world_.add(repository);
}

Result<> Hub::add_modelscope(const RepositorySpec& repository) {
  const std::lock_guard lock(mutex_);
  return world_.add_modelscope(repository);
}

Result<> Hub::add(const RegistryModelSpec& model) {
  const std::lock_guard lock(mutex_);
  return world_.add(model);
}

Result<> Hub::add_web(const FileSpec& file) {
  const std::lock_guard lock(mutex_);
  return world_.add_web(file);
}

void Hub::add(const UserSpec& user) {
  const std::lock_guard lock(mutex_);
  world_.add(user);
}

Result<std::string> Hub::commit(const std::string& id, const std::vector<FileSpec>& put, const std::vector<std::string>& removed,
                                const std::string& branch) {
  const std::lock_guard lock(mutex_);
  const auto found = world_.repositories.find("model/" + id);
  if (found == world_.repositories.end()) return fail(Code::not_found, id);
  return world_.commit(found->second, branch, put, removed, "a change");
}

Result<> Hub::swap(const std::string& id, const std::string& path, Content::Ptr served) {
  const std::lock_guard lock(mutex_);
  const auto found = world_.repositories.find("model/" + id);
  if (found == world_.repositories.end()) return fail(Code::not_found, id);
  for (auto& [name, commit] : found->second.commits)
    if (const auto file = commit.files.find(path); file != commit.files.end()) file->second.served = served;
  return {};
}

std::string Hub::head(const std::string& id, const std::string& branch) const {
  const std::lock_guard lock(mutex_);
  const auto found = world_.repositories.find("model/" + id);
  if (found == world_.repositories.end()) return "";
  const auto head = found->second.branches.find(branch);
  return head == found->second.branches.end() ? "" : head->second;
}

Content::Ptr Hub::content(const std::string& id, const std::string& path, const std::string& branch) const {
  const std::lock_guard lock(mutex_);
  const auto found = world_.repositories.find("model/" + id);
  if (found == world_.repositories.end()) return nullptr;
  const auto head = found->second.branches.find(branch);
  if (head == found->second.branches.end()) return nullptr;
  const auto& files = found->second.commits.at(head->second).files;
  const auto file = files.find(path);
  return file == files.end() ? nullptr : file->second.content;
}

std::string Hub::manifest(const std::string& model) const {
  const std::lock_guard lock(mutex_);
  const auto found = world_.models.find(model);
  return found == world_.models.end() ? "" : found->second.manifest;
}

void Hub::fault(HubFault fault) {
  const std::lock_guard lock(mutex_);
  faults_.add(std::move(fault));
}

void Hub::clear_faults() {
  const std::lock_guard lock(mutex_);
  faults_.clear();
}

void Hub::release() {
  gates_.release();
}

void Hub::hold() {
  gates_.hold();
}

void Hub::expire_links() {
  const std::lock_guard lock(mutex_);
  for (auto& [signature, grant] : world_.grants) grant.until = Clock::time_point();
}

void Hub::revoke(const std::string& token) {
  const std::lock_guard lock(mutex_);
  if (const auto user = world_.users.find(token); user != world_.users.end()) user->second.revoked = true;
  world_.registry_tokens.erase(token);
}

void Hub::pace(Role role, Pace pace) {
  const std::lock_guard lock(mutex_);
  world_.paces[role] = pace;
}

void Hub::shut(Role role) {
  close(*lines_.at(role));
}

Result<> Hub::reopen(Role role) {
  return open(*lines_.at(role));
}

void Hub::break_connections(Role role) {
  auto& line = *lines_.at(role);
  const std::lock_guard lock(line.mutex);
  for (auto& worker : line.workers) worker.connection->end();
}

std::vector<Served> Hub::requests() const {
  const std::lock_guard lock(mutex_);
  std::vector<Served> out;
  out.reserve(served_.size());
  for (const auto& entry : served_) out.push_back(*entry);
  return out;
}

std::size_t Hub::count(const std::function<bool(const Served&)>& is) const {
  const auto all = requests();
  return static_cast<std::size_t>(std::ranges::count_if(all, is));
}

std::uint64_t Hub::bytes_sent(Role role) const {
  std::uint64_t out = 0;
  for (const auto& entry : requests())
    if (entry.role == role) out += entry.sent;
  return out;
}

void Hub::forget_requests() {
  const std::lock_guard lock(mutex_);
  served_.clear();
}

bool Hub::await(const std::function<bool(const std::vector<Served>&)>& condition) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] {
    std::vector<Served> now;
    for (const auto& entry : served_) now.push_back(*entry);
    return condition(now);
  });
}

std::vector<std::string> Hub::secrets() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out(world_.registry_tokens.begin(), world_.registry_tokens.end());
  for (const auto& [token, user] : world_.users) out.push_back(token);
  for (const auto& [signature, grant] : world_.grants) out.push_back(signature);
  return out;
}

}  // namespace puna::fakes
