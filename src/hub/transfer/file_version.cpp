#include "hub/transfer/file_version.h"

#include "base/text.h"

namespace puna::hub::transfer {
namespace {

bool is_weak(std::string_view etag) {
  return etag.starts_with("W/") || etag.starts_with("w/");
}
std::string_view opaque_tag(std::string_view etag) {
  return is_weak(etag) ? etag.substr(2) : etag;
}

}  // namespace

std::optional<std::string> FileVersion::range_validator() const {
  if (etag && !is_weak(*etag)) return etag;
  return last_modified;
}

bool FileVersion::may_equal(const FileVersion& other) const {
  if (total && other.total && total != other.total) return false;
  if (etag && other.etag) return opaque_tag(*etag) == opaque_tag(*other.etag);
  return !last_modified || !other.last_modified || last_modified == other.last_modified;
}

FileVersion FileVersion::of(const net::Headers& headers) {
  FileVersion out;
  if (const auto etag = headers.get("ETag"); etag && !trim(*etag).empty()) out.etag = trim(*etag);
  if (const auto date = headers.get("Last-Modified"); date && !trim(*date).empty()) out.last_modified = trim(*date);
  return out;
}

}  // namespace puna::hub::transfer
