#include "hub/publish/courier.h"

#include <unistd.h>

#include <future>

#include "base/settings_registry.h"
#include "net/on_network.h"
#include "os/file.h"

namespace puna::hub::publish {
namespace {

constexpr Bytes kLargestAnswer = mib(16);

void obey(const Settings& settings, net::HttpRequest& request) {
  request.max_body = kLargestAnswer;
  request.deadlines = {.connect = settings.get(setting::kConnectDeadline),
                       .first_byte = settings.get(setting::kFirstByteDeadline),
                       .idle = settings.get(setting::kIdleDeadline)};
  request.retry = {.attempts = static_cast<int>(settings.get(setting::kRetryAttempts)),
                   .base = settings.get(setting::kRetryBase),
                   .factor = settings.get(setting::kRetryFactor),
                   .cap = settings.get(setting::kRetryCap),
                   .jitter = settings.get(setting::kRetryJitter)};
}

}  // namespace

Courier::Courier(const SettingsStore& settings, net::ClientOptions options)
    : settings_(settings), http_(std::make_unique<net::HttpClient>(io_, std::move(options))), thread_([this] { io_.run(); }) {}

Courier::~Courier() {
  std::promise<void> gone;
  net::asio::post(io_.context(), [&] {
    http_.reset();
    gone.set_value();
  });
  gone.get_future().wait();
  io_.stop();
  thread_.join();
}

void Courier::configure(net::ClientOptions options) {
  net::asio::post(io_.context(), [this, options = std::move(options)]() mutable { http_->configure(std::move(options)); });
}

Result<net::HttpResponse> Courier::ask(net::HttpRequest request, const std::stop_token& stop) {
  obey(*settings_.snapshot(), request);
  return net::on_network<net::HttpResponse>(
      io_, "publish", [this, request = std::move(request)]() -> net::Task<Result<net::HttpResponse>> { return http_->fetch(request); },
      stop);
}

Result<net::HttpResponse> Courier::send(net::HttpRequest request, const FilePart& part, std::function<void(Bytes)> sent,
                                        const std::stop_token& stop) {
  PUNA_TRY(auto opened, os::open_regular_file(part.file));
  const auto file = std::make_shared<os::UniqueFd>(std::move(opened));  // outlives a call that was given up
  request.body_source =
      net::BodySource{.size = part.size, .read = [file, from = part.from, sent, total = sent_](std::uint64_t at, std::span<char> into) {
                        const ssize_t got = ::pread(file->get(), into.data(), into.size(), static_cast<off_t>(from.count + at));
                        if (got <= 0) return std::size_t{0};
                        *total += static_cast<std::uint64_t>(got);
                        sent(Bytes(at + static_cast<std::uint64_t>(got)));
                        return static_cast<std::size_t>(got);
                      }};
  return ask(std::move(request), stop);
}

}  // namespace puna::hub::publish
