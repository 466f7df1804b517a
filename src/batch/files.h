// Files that clients of OpenAI's API leave with the server: rows in the database, contents in a folder of their own.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "os/atomic_file.h"
#include "os/descriptor.h"
#include "store/database.h"

namespace puna::batch {

struct File {
  std::string id;     // "file-…"
  std::string owner;  // who may see it: the id of a key; empty: whoever has none
  std::string filename;
  std::string purpose;
  std::int64_t bytes = 0;
  WallTime created_at;
  std::optional<WallTime> expires_at;
};
BOOST_DESCRIBE_STRUCT(File, (), (id, owner, filename, purpose, bytes, created_at, expires_at))

struct FileBounds {
  Bytes largest;
  Bytes all;  // of every file together
};

// Thread-safe; blocks.
class Files {
 public:
  // Makes the folder (0700). What lies in it without a row, after a crash, goes.
  [[nodiscard]] static Result<Files> open(store::Database& database, std::filesystem::path folder, std::function<FileBounds()> bounds);

  // A file while it is written, 0600. Vanishes unless it is kept.
  class Upload {
   public:
    [[nodiscard]] const std::string& id() const { return file_.id; }
    [[nodiscard]] std::int64_t bytes() const { return file_.bytes; }
    // Code::too_large names the setting.
    [[nodiscard]] Result<> write(std::string_view bytes);

   private:
    friend class Files;
    Upload(File file, os::AtomicFile content, FileBounds bounds, std::int64_t others)
        : file_(std::move(file)), content_(std::move(content)), bounds_(bounds), others_(others) {}
    File file_;
    os::AtomicFile content_;
    FileBounds bounds_;
    std::int64_t others_;  // bytes of the files that there are
  };
  [[nodiscard]] Result<Upload> begin(std::string owner);
  struct Description {
    std::string filename;
    std::string purpose;
    std::optional<Milliseconds> lifetime;  // absent: until it is removed
  };
  // On disk, with its row, when it returns.
  [[nodiscard]] Result<File> keep(Upload upload, Description description);
  // The content is on disk; the row is the caller's to insert, with whatever belongs to it. Without one the content goes at the next start.
  [[nodiscard]] Result<File> keep_content(Upload upload, Description description);
  [[nodiscard]] static Result<> insert(store::Transaction& tx, const File& file);

  // Code::not_found when there is none, or it is somebody else's, or its time has passed.
  [[nodiscard]] Result<File> find(std::string_view owner, std::string_view id);
  [[nodiscard]] Result<std::vector<File>> list(std::string_view owner);  // in the order of creation
  [[nodiscard]] Result<> remove(std::string_view owner, std::string_view id);
  [[nodiscard]] Result<os::UniqueFd> open_content(const File& file) const;

 private:
  Files(store::Database& database, std::filesystem::path folder, std::function<FileBounds()> bounds)
      : database_(&database), folder_(std::move(folder)), bounds_(std::move(bounds)) {}
  [[nodiscard]] Result<> remove_expired();
  [[nodiscard]] Result<> remove_orphans();
  [[nodiscard]] std::filesystem::path place(std::string_view id) const { return folder_ / id; }

  store::Database* database_;
  std::filesystem::path folder_;
  std::function<FileBounds()> bounds_;
};

}  // namespace puna::batch
