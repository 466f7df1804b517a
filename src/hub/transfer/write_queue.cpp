#include "hub/transfer/write_queue.h"

#include "hub/transfer/thrown.h"

namespace puna::hub::transfer {
namespace {

Result<bool> put(PartialFile& file, std::uint64_t at, std::string_view bytes, WriteQueue::Mode mode) {
  try {
    if (mode == WriteQueue::Mode::replace) return file.replace(at, bytes);
    PUNA_CHECK(file.write(at, bytes));
    return false;
  } catch (...) {
    return fail(thrown_error());
  }
}

}  // namespace

net::Task<Result<bool>> WriteQueue::write(std::shared_ptr<PartialFile> file, std::uint64_t at, std::string_view bytes, Mode mode) {
  Pending pending{.file = std::move(file), .at = at, .bytes = bytes, .mode = mode, .outcome = false, .resume = {}};
  co_await net::asio::async_initiate<const net::asio::deferred_t&, void()>(
      [&](auto handler) {
        pending.resume = [handler = std::move(handler)]() mutable { std::move(handler)(); };
        pending_.push_back(&pending);
        if (!std::exchange(working_, true)) net::spawn(io_, "writing", work()).detach();
      },
      net::asio::deferred);
  co_return std::move(pending.outcome);
}

net::Task<void> WriteQueue::work() {
  while (!pending_.empty()) {
    const auto batch = std::exchange(pending_, {});
    const auto done = co_await caught(net::on_pool(io_, [&]() -> Result<> {
      for (auto* pending : batch) pending->outcome = put(*pending->file, pending->at, pending->bytes, pending->mode);
      return {};
    }));
    if (!done)
      for (auto* pending : batch) pending->outcome = fail(done.error());
    for (auto* pending : batch) net::asio::post(io_.context(), std::move(pending->resume));
  }
  working_ = false;
}

}  // namespace puna::hub::transfer
