// The way of received bytes to the disk.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "hub/transfer/partial_file.h"
#include "net/io.h"

namespace puna::hub::transfer {

// One disk thread at a time writes, whatever waits by then: several would only wait for each other inside the kernel. Network thread.
class WriteQueue {
 public:
  explicit WriteQueue(net::Io& io) : io_(io) {}

  enum class Mode { write, replace };  // replace: compares first
  // The bytes must stay until this returns, which it does only when the disk thread is done with them, even to who was cancelled. The
  // value: whether the file held something else before (Mode::replace).
  [[nodiscard]] net::Task<Result<bool>> write(std::shared_ptr<PartialFile> file, std::uint64_t at, std::string_view bytes, Mode mode);

 private:
  struct Pending {
    std::shared_ptr<PartialFile> file;
    std::uint64_t at = 0;
    std::string_view bytes;
    Mode mode = Mode::write;
    Result<bool> outcome;
    std::move_only_function<void()> resume;
  };
  net::Task<void> work();

  net::Io& io_;
  std::vector<Pending*> pending_;  // of coroutines that wait for them
  bool working_ = false;
};

}  // namespace puna::hub::transfer
