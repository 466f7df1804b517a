// Requests that carry files away, from a job's thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <thread>

#include "base/error.h"
#include "base/settings.h"
#include "base/units.h"
#include "net/http_client.h"
#include "net/io.h"

namespace puna::hub::publish {

// A stretch of a file, as a request's body.
struct FilePart {
  std::filesystem::path file;
  Bytes from;
  Bytes size;
};

// Thread-safe. Has a network thread of its own: an upload reads the disk there and must not delay the gateway. Its calls block, obey the
// settings' deadlines and retries, and end with Code::cancelled as soon as `stop` is requested. An answer of any status is no error.
class Courier {
 public:
  Courier(const SettingsStore& settings, net::ClientOptions options);
  ~Courier();
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  void configure(net::ClientOptions options);
  [[nodiscard]] Result<net::HttpResponse> ask(net::HttpRequest request, const std::stop_token& stop);
  // With the part as its body; `sent` hears on the network thread how far it is, from the beginning again when it is tried again.
  [[nodiscard]] Result<net::HttpResponse> send(net::HttpRequest request, const FilePart& part, std::function<void(Bytes)> sent,
                                               const std::stop_token& stop);
  // Bytes of parts that went away, those that had to go again included.
  [[nodiscard]] Bytes sent() const { return Bytes(sent_->load()); }

 private:
  const SettingsStore& settings_;
  // Shared with calls that were given up.
  const std::shared_ptr<std::atomic<std::uint64_t>> sent_ = std::make_shared<std::atomic<std::uint64_t>>();
  net::Io io_{1};
  std::unique_ptr<net::HttpClient> http_;  // network thread
  std::thread thread_;
};

}  // namespace puna::hub::publish
