#include "model/table.h"

namespace puna::model {

using store::Reader;
using store::Transaction;

namespace {

Result<> insert_or_replace(Transaction& tx, const FileRow& file) {
  PUNA_CHECK(
      tx.execute("INSERT INTO model_files (sha256, size, modified_ns, details, description, added_at) "
                 "VALUES (:sha256, :size, :modified_ns, :details, :description, :added_at) "
                 "ON CONFLICT (sha256) DO UPDATE SET size = excluded.size, modified_ns = excluded.modified_ns, "
                 "details = excluded.details, description = excluded.description",
                 store::parameters_of(file)));
  return {};
}

Result<> insert_or_replace(Transaction& tx, const NameRow& name) {
  PUNA_CHECK(
      tx.execute("INSERT INTO models (name_key, name, sha256, source, created_at, modified_at) "
                 "VALUES (:name_key, :name, :sha256, :source, :created_at, :modified_at) "
                 "ON CONFLICT (name_key) DO UPDATE SET name = excluded.name, sha256 = excluded.sha256, source = excluded.source, "
                 "modified_at = excluded.modified_at",
                 store::parameters_of(name)));
  return {};
}

}  // namespace

Result<Table::Content> Table::load() const {
  return database_.read([](Reader& reader) -> Result<Content> {
    Content out;
    PUNA_TRY(out.files, reader.query_as<FileRow>("SELECT sha256, size, modified_ns, details, description, added_at FROM model_files"));
    PUNA_TRY(out.names, reader.query_as<NameRow>("SELECT name_key, name, sha256, source, created_at, modified_at FROM models"));
    return out;
  });
}

Result<> Table::put(const FileRow& file, const NameRow& name) {
  return database_.write([&](Transaction& tx) -> Result<> {
    PUNA_CHECK(insert_or_replace(tx, file));
    return insert_or_replace(tx, name);
  });
}

Result<> Table::put_file(const FileRow& file) {
  return database_.write([&](Transaction& tx) { return insert_or_replace(tx, file); });
}

Result<> Table::put_name(const NameRow& name) {
  return database_.write([&](Transaction& tx) { return insert_or_replace(tx, name); });
}

Result<> Table::remove_name(std::string_view name_key) {
  return database_.write([&](Transaction& tx) -> Result<> {
    PUNA_CHECK(tx.execute("DELETE FROM models WHERE name_key = :name_key", {{"name_key", name_key}}));
    return {};
  });
}

Result<> Table::remove_file(std::string_view sha256) {
  return database_.write([&](Transaction& tx) -> Result<> {
    PUNA_CHECK(tx.execute("DELETE FROM model_files WHERE sha256 = :sha256", {{"sha256", sha256}}));
    return {};
  });
}

}  // namespace puna::model
