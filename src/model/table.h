// The tables of the library.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "store/database.h"

namespace puna::model {

struct FileRow {
  std::string sha256;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  json::value details;           // a wire::ModelDetails
  std::int64_t description = 0;  // kDescription when they were read
  WallTime added_at;
};
BOOST_DESCRIBE_STRUCT(FileRow, (), (sha256, size, modified_ns, details, description, added_at))

struct NameRow {
  std::string name_key;
  std::string name;
  std::string sha256;
  std::string source;
  WallTime created_at;
  WallTime modified_at;
};
BOOST_DESCRIBE_STRUCT(NameRow, (), (name_key, name, sha256, source, created_at, modified_at))

class Table {
 public:
  explicit Table(store::Database& database) : database_(database) {}
  struct Content {
    std::vector<FileRow> files;
    std::vector<NameRow> names;
  };
  [[nodiscard]] Result<Content> load() const;
  // Both in one transaction; a row of the same content or name is replaced.
  [[nodiscard]] Result<> put(const FileRow& file, const NameRow& name);
  [[nodiscard]] Result<> put_file(const FileRow& file);
  [[nodiscard]] Result<> put_name(const NameRow& name);
  [[nodiscard]] Result<> remove_name(std::string_view name_key);
  [[nodiscard]] Result<> remove_file(std::string_view sha256);

 private:
  store::Database& database_;
};

}  // namespace puna::model
