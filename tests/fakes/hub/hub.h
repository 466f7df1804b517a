// A Hugging Face hub, an Ollama registry, a ModelScope and their storage, on sockets of this machine, from a scenario, with faults.
//
// Nothing of Puna's own HTTP code is in it: it must not share Puna's mistakes. It speaks what hub.cpp's roles say: model info, trees and
// their pages, resolve with signed links to another origin, search, uploads and commits; the registry's manifests, blobs, sign-in and
// pushes; ModelScope's lists and contents. tests/clients/test_hub_double.py proves it with the official clients.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "fakes/hub/world.h"
#include "os/temporary_folder.h"

namespace puna::fakes {

// One request, as it was answered.
struct Served {
  Role role = Role::hub;
  std::string method;
  std::string target;
  std::string range;  // the header
  std::string if_range;
  std::string authorization;  // the header, as it came
  std::string user_agent;
  std::string host;
  std::string fault;       // the name of the fault that hit it
  int status = 0;          // 0: none yet
  std::uint64_t from = 0;  // where its body begins in the file
  std::uint64_t sent = 0;  // bytes of the body handed to the system by now
  bool ended = false;
};
BOOST_DESCRIBE_STRUCT(Served, (),
                      (role, method, target, range, if_range, authorization, user_agent, host, fault, status, from, sent, ended))

// Thread-safe. Every role has an address of its own, so that each is a foreign host to the others.
class Hub {
 public:
  // Ports as the scenario says, or any.
  [[nodiscard]] static Result<std::unique_ptr<Hub>> start(const ScenarioSpec& scenario = {});
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  [[nodiscard]] std::string origin(Role role = Role::hub) const;  // "http://127.0.0.1:PORT"

  // What it offers.
  Result<> add(const RepositorySpec& repository);
  Result<> add_modelscope(const RepositorySpec& repository);
  Result<> add(const RegistryModelSpec& model);
  Result<> add_web(const FileSpec& file);
  void add(const UserSpec& user);
  // A commit on a branch; returns its id.
  Result<std::string> commit(const std::string& id, const std::vector<FileSpec>& put, const std::vector<std::string>& removed = {},
                             const std::string& branch = "main");
  // From now on other bytes come for a file than its digest promises.
  Result<> swap(const std::string& id, const std::string& path, Content::Ptr served);
  [[nodiscard]] std::string head(const std::string& id, const std::string& branch = "main") const;
  [[nodiscard]] Content::Ptr content(const std::string& id, const std::string& path,
                                     const std::string& branch = "main") const;  // may be null
  [[nodiscard]] std::string manifest(const std::string& model) const;            // of the registry; "" without one

  // What goes wrong.
  void fault(HubFault fault);
  void clear_faults();
  void release();  // what is held or stalled goes on, and so does all that follows
  void hold();     // ends that
  void expire_links();
  void revoke(const std::string& token);
  void pace(Role role, Pace pace);
  void shut(Role role);  // connections are refused, those that are open break
  Result<> reopen(Role role);
  void break_connections(Role role);

  // What was asked for.
  [[nodiscard]] std::vector<Served> requests() const;
  [[nodiscard]] std::size_t count(const std::function<bool(const Served&)>& is) const;
  [[nodiscard]] std::uint64_t bytes_sent(Role role = Role::storage) const;
  void forget_requests();
  // Waits until it holds; false after 20 s.
  [[nodiscard]] bool await(const std::function<bool(const std::vector<Served>&)>& condition) const;
  // Tokens and signatures that exist by now: none may show up in a log.
  [[nodiscard]] std::vector<std::string> secrets() const;

 private:
  struct Line;  // a role's listener and its connections

  explicit Hub(os::TemporaryFolder folder);
  Result<> listen(const ScenarioSpec& scenario);
  Result<> open(Line& line);
  Result<> fill(const ScenarioSpec& scenario);
  void accept(Line& line);
  void serve(Line& line, Connection& connection);
  [[nodiscard]] bool answer(Line& line, Connection& connection, Request& request);
  [[nodiscard]] Answer answer_of(const Request& request, const std::optional<HubFault>& fault);
  [[nodiscard]] std::optional<Answer> control(const Request& request);
  std::optional<Answer> control_post(const std::string& verb, const json::object& body);
  void note(Served& entry, const std::function<void(Served&)>& change);
  void close(Line& line);

  os::TemporaryFolder folder_;
  Gates gates_;
  std::map<Role, std::unique_ptr<Line>> lines_;

  mutable std::mutex mutex_;  // guards what follows
  mutable std::condition_variable changed_;
  World world_;
  HubFaults faults_;
  std::vector<std::shared_ptr<Served>> served_;
};

}  // namespace puna::fakes
