#include "hub/transfer/write_queue.h"

namespace puna::hub::transfer {

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
    co_await net::on_pool(io_, [&] {
      for (auto* pending : batch) {
        auto& [file, at, bytes, mode, outcome, resume] = *pending;
        if (mode == Mode::replace)
          outcome = file->replace(at, bytes);
        else if (auto written = file->write(at, bytes); !written)
          outcome = fail(std::move(written).error());
      }
    });
    for (auto* pending : batch) net::asio::post(io_.context(), std::move(pending->resume));
  }
  working_ = false;
}

}  // namespace puna::hub::transfer
