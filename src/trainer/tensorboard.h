// Metrics in the event files that TensorBoard reads: records of protocol buffers (tensorflow's event.proto and summary.proto), each
// between its length and masked CRC-32C sums.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "os/descriptor.h"
#include "wire/tune.h"

namespace puna::trainer {

struct Scalar {
  std::string_view tag;  // "train/loss"; what stands before the slash is a group on the page
  double value = 0;
};
// What an event says in numbers: of steps and evaluations; of others nothing.
[[nodiscard]] std::vector<Scalar> scalars_of(const wire::TuneEvent& event);

// CRC-32C (Castagnoli; RFC 3720, appendix B.4).
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes);
// The first record of a file, and one of values.
[[nodiscard]] std::string opening_record(WallTime now);
[[nodiscard]] std::string scalar_record(WallTime now, std::int64_t step, std::span<const Scalar> scalars);

class EventFile {
 public:
  // A new file in `folder`, which a run that goes on adds beside those that it has: TensorBoard reads them by age, as one.
  [[nodiscard]] static Result<EventFile> create(const std::filesystem::path& folder, WallTime now);
  // One record, at once; nothing for an event without numbers.
  [[nodiscard]] Result<> add(WallTime now, const wire::TuneEvent& event);

 private:
  explicit EventFile(os::UniqueFd file) : file_(std::move(file)) {}
  os::UniqueFd file_;
};

}  // namespace puna::trainer
