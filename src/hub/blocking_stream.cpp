#include "hub/blocking_stream.h"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <utility>

#include "base/log.h"
#include "base/units.h"

namespace puna::hub {
namespace {

constexpr std::size_t kReadAhead = 1 << 20;  // held for the reader before the server is held back
constexpr Milliseconds kLongestEnd{1000};    // for a network thread that does not run any more

}  // namespace

struct BlockingStream::State {
  explicit State(net::Io& in) : io(in), room(in) {}
  ~State() { task.detach(); }  // it has ended, or went with its io_context

  net::Io& io;
  net::Spawned task;   // network thread
  net::Notifier room;  // tells the transfer that the reader took something

  std::mutex mutex;  // guards what follows
  std::condition_variable_any changed;
  bool answered = false;
  int status = 0;
  net::Headers headers;
  std::string arrived;
  bool ended = false;
  Result<> outcome;  // once it has ended

  void answer(int code, net::Headers fields) {
    const std::lock_guard lock(mutex);
    answered = true;
    status = code;
    headers = std::move(fields);
    changed.notify_all();
  }
  void end(Result<> how) {
    const std::lock_guard lock(mutex);
    ended = true;
    outcome = std::move(how);
    changed.notify_all();
  }
  // Whether the reader is far enough behind.
  bool put(std::string chunk) {
    const std::lock_guard lock(mutex);
    if (arrived.empty())
      arrived = std::move(chunk);
    else
      arrived += chunk;
    changed.notify_all();
    return arrived.size() >= kReadAhead;
  }
  bool full() {
    const std::lock_guard lock(mutex);
    return arrived.size() >= kReadAhead;
  }
};

net::Task<Result<>> BlockingStream::copy(std::shared_ptr<State> state, net::HttpClient& client, net::HttpRequest request) {
  PUNA_CO_TRY(auto stream, co_await client.open(std::move(request)));
  state->answer(stream.status(), stream.headers());
  while (true) {
    PUNA_CO_TRY(auto chunk, co_await stream.read());
    if (!chunk) co_return Result<>();
    if (!state->put(std::move(*chunk))) continue;
    for (auto seen = state->room.epoch(); state->full(); seen = state->room.epoch())
      PUNA_CO_CHECK(co_await state->room.wait(seen, kForever));
  }
}

net::Task<void> BlockingStream::transfer(std::shared_ptr<State> state, net::HttpClient& client, net::HttpRequest request) {
  state->end(co_await copy(state, client, std::move(request)));
}

Result<BlockingStream> BlockingStream::open(net::Io& io, net::HttpClient& client, net::HttpRequest request, const std::stop_token& stop) {
  auto state = std::make_shared<State>(io);
  BlockingStream stream(state);
  net::asio::post(io.context(), [state, &io, &client, request = std::move(request)]() mutable {
    state->task = net::spawn(io, "download", transfer(state, client, std::move(request)));
  });
  std::unique_lock lock(state->mutex);
  state->changed.wait(lock, stop, [&] { return state->answered || state->ended; });
  if (stop.stop_requested()) return fail(Code::cancelled, "the transfer was cancelled");
  // An answer that has failed meanwhile may have brought something first.
  if (!state->answered) return fail(state->outcome.error());
  lock.unlock();
  return stream;
}

BlockingStream::~BlockingStream() {
  if (!state_) return;
  try {
    net::asio::post(state_->io.context(), [state = state_] { state->task.cancel(); });
    std::unique_lock lock(state_->mutex);
    state_->changed.wait_for(lock, kLongestEnd, [&] { return state_->ended; });
  } catch (const std::exception& exception) {
    log::error("hub", "a transfer could not be ended", {{"error", exception.what()}});
  }
}

// Written once, before open() returned.
int BlockingStream::status() const {
  return state_->status;
}

const net::Headers& BlockingStream::headers() const {
  return state_->headers;
}

Result<std::string> BlockingStream::read(const std::stop_token& stop) {
  std::string taken;
  {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait(lock, stop, [&] { return !state_->arrived.empty() || state_->ended; });
    if (stop.stop_requested()) return fail(Code::cancelled, "the transfer was cancelled");
    if (state_->arrived.empty() && !state_->outcome) return fail(state_->outcome.error());
    taken = std::exchange(state_->arrived, {});
  }
  state_->room.notify();
  return taken;
}

Result<std::string> BlockingStream::read_beginning(std::size_t limit, const std::stop_token& stop) {
  std::string out;
  while (out.size() < limit) {
    PUNA_TRY(const auto chunk, read(stop));
    if (chunk.empty()) break;
    out += chunk;
  }
  if (out.size() > limit) out.resize(limit);
  return out;
}

}  // namespace puna::hub
