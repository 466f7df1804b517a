// Files from elsewhere on this machine become the library's own.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "jobs/spec.h"
#include "model/library.h"

namespace puna::model {

// Reads files and tells how far all of them together are.
class Reading {
 public:
  Reading(jobs::JobContext& context, std::string phase, std::int64_t total);
  // The file's SHA-256. Code::cancelled when the job is asked to end, Code::corrupt_data when the file is shorter.
  [[nodiscard]] Result<std::string> hash(const std::string& place, std::int64_t size);
  [[nodiscard]] std::stop_token stop() const { return context_.stop(); }

 private:
  void report(std::int64_t in_file);

  jobs::JobContext& context_;
  const std::string phase_;
  const std::int64_t total_;
  std::int64_t done_ = 0;
};

// Brings the file to its place in the library, by shared blocks, a hard link or a copy. Code::corrupt_data when it is not what its
// SHA-256 says, where it has one.
[[nodiscard]] Result<NewFile> take_in(Library& library, Reading& reading, const wire::ModelFile& file);
// The same for a small text.
[[nodiscard]] Result<NewFile> take_in_text(const Library& library, std::string path, wire::FileRole role, std::string_view text);

}  // namespace puna::model
