#include "batch/files.h"

#include <fmt/format.h>

#include <set>

#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "os/file.h"

namespace puna::batch {
namespace {

namespace fs = std::filesystem;
using store::Reader;
using store::Transaction;

constexpr std::string_view kColumns = "id, owner, filename, purpose, bytes, created_at, expires_at";

void remove_content(const fs::path& path) {
  std::error_code failed;
  fs::remove(path, failed);
  if (failed) log::warning("batch", "a file cannot be removed", {{"path", path.string()}, {"error", failed.message()}});
}

}  // namespace

Result<Files> Files::open(store::Database& database, fs::path folder, std::function<FileBounds()> bounds) {
  std::error_code failed;
  if (fs::create_directories(folder, failed)) fs::permissions(folder, fs::perms::owner_all, failed);
  if (failed) return fail(Code::unavailable, fmt::format("cannot make the folder {}: {}", folder.string(), failed.message()));
  Files out(database, std::move(folder), std::move(bounds));
  PUNA_CHECK(out.remove_expired());
  PUNA_CHECK(out.remove_orphans());
  return out;
}

Result<> Files::remove_expired() {
  PUNA_TRY(const auto expired, database_->write([](Transaction& tx) -> Result<std::vector<store::Row>> {
    const auto now = std::chrono::system_clock::now();
    PUNA_TRY(auto rows, tx.query("SELECT id FROM files WHERE expires_at <= :now", {{"now", now}}));
    PUNA_CHECK(tx.execute("DELETE FROM files WHERE expires_at <= :now", {{"now", now}}));
    return rows;
  }));
  for (const auto& row : expired) {
    PUNA_TRY(const auto id, row.get_at<std::string>(0));
    remove_content(place(id));
  }
  return {};
}

Result<> Files::remove_orphans() {
  PUNA_TRY(const auto rows, database_->read([](Reader& reader) { return reader.query("SELECT id FROM files"); }));
  std::set<std::string> known;
  for (const auto& row : rows) {
    PUNA_TRY(auto id, row.get_at<std::string>(0));
    known.insert(std::move(id));
  }
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder_, failed))
    if (!known.contains(entry.path().filename().string())) remove_content(entry.path());
  return {};
}

Result<> Files::Upload::write(std::string_view bytes) {
  const auto size = static_cast<std::uint64_t>(file_.bytes) + bytes.size();
  if (size > bounds_.largest.count)
    return fail(Code::too_large, fmt::format("file: larger than {} (the setting files.largest)", format_bytes(bounds_.largest)));
  if (size + static_cast<std::uint64_t>(others_) > bounds_.all.count)
    return fail(Code::too_large, fmt::format("file: all files together would be larger than {} (the setting files.size); delete some",
                                             format_bytes(bounds_.all)));
  PUNA_CHECK(content_.write(bytes));
  file_.bytes = static_cast<std::int64_t>(size);
  return {};
}

Result<Files::Upload> Files::begin(std::string owner) {
  PUNA_CHECK(remove_expired());
  File file{.id = fmt::format("file-{}", lower_ascii(new_ulid())), .owner = std::move(owner)};
  PUNA_TRY(const auto others,
           database_->read([](Reader& reader) { return reader.query_value<std::int64_t>("SELECT COALESCE(SUM(bytes), 0) FROM files"); }));
  PUNA_TRY(auto content, os::AtomicFile::create(place(file.id)));
  return Upload(std::move(file), std::move(content), bounds_(), others);
}

Result<File> Files::keep_content(Upload upload, Description description) {
  PUNA_CHECK(upload.content_.commit(os::Existing::keep));
  File file = std::move(upload.file_);
  file.filename = std::move(description.filename);
  file.purpose = std::move(description.purpose);
  file.created_at = std::chrono::system_clock::now();
  if (description.lifetime) file.expires_at = file.created_at + *description.lifetime;
  return file;
}

Result<> Files::insert(Transaction& tx, const File& file) {
  PUNA_CHECK(
      tx.execute("INSERT INTO files (id, owner, filename, purpose, bytes, created_at, expires_at) VALUES (:id, :owner, :filename, "
                 ":purpose, :bytes, :created_at, :expires_at)",
                 store::parameters_of(file)));
  return {};
}

Result<File> Files::keep(Upload upload, Description description) {
  PUNA_TRY(auto file, keep_content(std::move(upload), std::move(description)));
  const auto stored = database_->write([&](Transaction& tx) { return insert(tx, file); });
  if (!stored) remove_content(place(file.id));
  PUNA_CHECK(stored);
  return file;
}

Result<File> Files::find(std::string_view owner, std::string_view id) {
  PUNA_TRY(auto found, database_->read([&](Reader& reader) {
    return reader.find_as<File>(fmt::format("SELECT {} FROM files WHERE id = :id AND owner = :owner AND (expires_at IS NULL OR "
                                            "expires_at > :now)",
                                            kColumns),
                                {{"id", id}, {"owner", owner}, {"now", std::chrono::system_clock::now()}});
  }));
  if (!found) return fail(Code::not_found, fmt::format("there is no file {}; GET /v1/files lists yours", printable(id)));
  return std::move(*found);
}

Result<std::vector<File>> Files::list(std::string_view owner) {
  PUNA_CHECK(remove_expired());
  return database_->read([&](Reader& reader) {
    return reader.query_as<File>(fmt::format("SELECT {} FROM files WHERE owner = :owner ORDER BY created_at, id", kColumns),
                                 {{"owner", owner}});
  });
}

Result<> Files::remove(std::string_view owner, std::string_view id) {
  PUNA_TRY(const auto file, find(owner, id));
  PUNA_CHECK(database_->write([&](Transaction& tx) { return tx.execute("DELETE FROM files WHERE id = :id", {{"id", file.id}}); }));
  remove_content(place(file.id));
  return {};
}

Result<os::UniqueFd> Files::open_content(const File& file) const {
  return os::open_regular_file(place(file.id));
}

}  // namespace puna::batch
