// For tests: a daemon that answers as it is told.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/json.h"
#include "net/http_server.h"
#include "net/io.h"

namespace puna::client {

// What becomes of one request.
using Script = std::function<net::Task<void>(net::ServerRequest&, net::Responder&)>;

[[nodiscard]] Script reply(int status, std::string body);
[[nodiscard]] Script reply_json(int status, const json::value& body);
enum class Ending {
  orderly,
  broken,  // the connection ends in the middle of the answer
  held,    // nothing more comes until the client leaves
};
// Server-sent events with these data.
[[nodiscard]] Script stream(std::vector<std::string> data, Ending ending = Ending::orderly);
// Never answers. Tells when it was asked, and when the client has left.
[[nodiscard]] Script silence(std::function<void()> asked, std::function<void()> left = {});

// One script for each request, the last one for all that follow.
[[nodiscard]] Script in_turn(std::vector<Script> scripts);
// Calls the function when the script has ended; for a held stream, when the client has left.
[[nodiscard]] Script then(Script script, std::function<void()> done);

// The data of one event of the event stream.
[[nodiscard]] std::string event(std::string_view type, const json::value& data);

// On a Unix socket, with a network thread of its own. Thread-safe.
class ScriptedDaemon {
 public:
  explicit ScriptedDaemon(const std::filesystem::path& socket);
  ~ScriptedDaemon();
  ScriptedDaemon(const ScriptedDaemon&) = delete;
  ScriptedDaemon& operator=(const ScriptedDaemon&) = delete;

  // A script that begins when the function, which may block, has returned.
  [[nodiscard]] Script after(std::function<void()> wait, Script script);
  // "GET /api/v1/models": method and path, as it was sent, without its query. What is not scripted is answered with status 500.
  void on(const std::string& request, Script script);
  // "POST /api/v1/models/pull {…}", in the order of arrival.
  [[nodiscard]] std::vector<std::string> asked() const;
  // The first that begins like this; empty when there is none.
  [[nodiscard]] std::string asked(std::string_view beginning) const;

 private:
  net::Task<void> handle(net::ServerRequest& request, net::Responder& responder);

  net::Io io_{1};
  std::optional<net::HttpServer> server_;  // network thread
  mutable std::mutex mutex_;               // guards what follows
  std::map<std::string, Script> scripts_;
  std::vector<std::string> asked_;
  std::thread network_;
};

}  // namespace puna::client
