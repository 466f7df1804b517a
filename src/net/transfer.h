// One attempt of one request: what was asked, what has come, why it ended.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "net/http_client.h"

namespace puna::net {

// Why an attempt brought no answer, and whether another could.
struct Fault {
  Error error;
  bool transient = false;  // may pass by itself
  bool sent = false;       // the server may have acted on the request
};

class Transfer {
 public:
  // `whole` keeps the body, up to max_body; otherwise it is read piece by piece.
  static std::expected<std::unique_ptr<Transfer>, Fault> start(std::shared_ptr<CurlMulti> multi, std::shared_ptr<const HttpRequest> request,
                                                               const ClientOptions& options, bool whole);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Returns when the headers are here (of a whole transfer: the body too).
  Task<std::expected<void, Fault>> answer();
  Task<Result<std::optional<std::string>>> read();
  Task<Result<bool>> read_into(std::string& out);

  [[nodiscard]] int status() const { return response_.status; }
  [[nodiscard]] const Headers& headers() const { return response_.headers; }
  [[nodiscard]] const HttpRequest& request() const { return *request_; }
  [[nodiscard]] HttpResponse take_response() { return std::move(response_); }

  // For CurlMulti.
  [[nodiscard]] void* handle() const { return easy_; }
  void ended(int curl_code);
  void ended_by_client(Error error);

 private:
  enum class Phase { connecting, waiting, receiving, ended };

  Transfer(std::shared_ptr<CurlMulti> multi, std::shared_ptr<const HttpRequest> request, const ClientOptions& options, bool whole);
  void set_up(const ClientOptions& options);
  void set_target();
  void set_method_and_body();
  void set_headers();
  [[nodiscard]] std::uint64_t body_size() const;
  void set_route(const ClientOptions& options);

  // Curl's callbacks.
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_send(char* into, std::size_t size, std::size_t count, void* self);
  static int on_rewind(void* self, std::int64_t offset, int origin);
  static int on_connected(void* self, char* peer, char* own, int peer_port, int own_port);

  bool take_header(std::string_view line);
  bool take_body(std::string_view bytes);
  void enter(Phase phase);
  void deadline_passed();
  void stop(Fault fault);

  std::shared_ptr<CurlMulti> multi_;
  std::shared_ptr<const HttpRequest> request_;
  const bool whole_;
  const Bytes max_header_, read_ahead_;
  void* easy_ = nullptr;
  void* header_list_ = nullptr;
  std::array<char, 256> curl_message_{};

  Phase phase_ = Phase::connecting;
  std::chrono::steady_clock::time_point phase_due_, total_due_;
  Watchdog watchdog_;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t source_at_ = 0;  // of the request's body_source
  bool reached_server_ = false;

  HttpResponse response_;
  std::size_t header_bytes_ = 0;
  bool headers_done_ = false;
  bool paused_ = false;
  std::optional<Fault> fault_;
  Wakeup changed_;
};

// What a failure of curl means. `system_error` is an errno or 0.
// What a proxy answered that did not connect: a status that is not 2xx.
[[nodiscard]] Fault proxy_fault(int status, const HttpRequest& request);
[[nodiscard]] Error proxy_wants_credentials(std::string_view what);
[[nodiscard]] Fault fault_of(int curl_code, int system_error, std::string_view detail, const HttpRequest& request);

}  // namespace puna::net
