#include "model/table.h"

namespace puna::model {

using store::Reader;
using store::Transaction;

namespace {

Result<> upsert(Transaction& tx, const BlobRow& blob) {
  PUNA_CHECK(
      tx.execute("INSERT INTO blobs (sha256, size, modified_ns, fault, added_at) VALUES (:sha256, :size, :modified_ns, :fault, :added_at) "
                 "ON CONFLICT (sha256) DO UPDATE SET size = excluded.size, modified_ns = excluded.modified_ns, fault = excluded.fault",
                 store::parameters_of(blob)));
  return {};
}

Result<> upsert(Transaction& tx, const ModelRow& model) {
  PUNA_CHECK(tx.execute(
      "INSERT INTO models (name_key, name, catalogue, repository, revision, commit_id, filter, url, recipe, details, description, "
      "pinned, created_at, modified_at, expires_at) VALUES (:name_key, :name, :catalogue, :repository, :revision, :commit_id, :filter, "
      ":url, "
      ":recipe, :details, :description, :pinned, :created_at, :modified_at, :expires_at) "
      "ON CONFLICT (name_key) DO UPDATE SET name = excluded.name, catalogue = excluded.catalogue, "
      "repository = excluded.repository, revision = excluded.revision, commit_id = excluded.commit_id, "
      "filter = excluded.filter, url = excluded.url, recipe = excluded.recipe, details = excluded.details, "
      "description = excluded.description, pinned = excluded.pinned, modified_at = excluded.modified_at, "
      "expires_at = excluded.expires_at",
      store::parameters_of(model)));
  return {};
}

Result<> remove_parts(Transaction& tx, std::string_view name_key) {
  PUNA_CHECK(tx.execute("DELETE FROM model_parts WHERE name_key = :name_key", {{"name_key", name_key}}));
  return {};
}

}  // namespace

Result<Table::Content> Table::load() const {
  return database_.read([](Reader& reader) -> Result<Content> {
    Content out;
    PUNA_TRY(out.blobs, reader.query_as<BlobRow>("SELECT sha256, size, modified_ns, fault, added_at FROM blobs"));
    PUNA_TRY(out.models,
             reader.query_as<ModelRow>("SELECT name_key, name, catalogue, repository, revision, commit_id, filter, url, "
                                       "recipe, details, description, pinned, created_at, modified_at, expires_at FROM models"));
    PUNA_TRY(out.aliases, reader.query_as<AliasRow>("SELECT name_key, name, target_key, created_at FROM model_aliases"));
    PUNA_TRY(out.parts, reader.query_as<PartRow>("SELECT name_key, position, role, path, sha256 FROM model_parts "
                                                 "ORDER BY name_key, position"));
    return out;
  });
}

Result<> Table::put(const std::vector<BlobRow>& blobs, const ModelRow& model, const std::vector<PartRow>& parts) {
  return database_.write([&](Transaction& tx) -> Result<> {
    for (const auto& blob : blobs) PUNA_CHECK(upsert(tx, blob));
    PUNA_CHECK(remove_parts(tx, model.name_key));
    PUNA_CHECK(upsert(tx, model));
    for (const auto& part : parts)
      PUNA_CHECK(
          tx.execute("INSERT INTO model_parts (name_key, position, role, path, sha256) "
                     "VALUES (:name_key, :position, :role, :path, :sha256)",
                     store::parameters_of(part)));
    return {};
  });
}

Result<> Table::put_blob(const BlobRow& blob) {
  return database_.write([&](Transaction& tx) { return upsert(tx, blob); });
}

Result<> Table::put_model(const ModelRow& model) {
  return database_.write([&](Transaction& tx) { return upsert(tx, model); });
}

Result<> Table::move_model(std::string_view from_key, const ModelRow& model) {
  return database_.write([&](Transaction& tx) -> Result<> {
    PUNA_CHECK(upsert(tx, model));
    PUNA_CHECK(tx.execute("UPDATE model_parts SET name_key = :to WHERE name_key = :from", {{"to", model.name_key}, {"from", from_key}}));
    PUNA_CHECK(tx.execute("DELETE FROM models WHERE name_key = :from", {{"from", from_key}}));
    return {};
  });
}

Result<> Table::put_alias(const AliasRow& alias) {
  return database_.write([&](Transaction& tx) -> Result<> {
    PUNA_CHECK(
        tx.execute("INSERT INTO model_aliases (name_key, name, target_key, created_at) VALUES (:name_key, :name, :target_key, "
                   ":created_at) ON CONFLICT (name_key) DO UPDATE SET name = excluded.name, target_key = excluded.target_key",
                   store::parameters_of(alias)));
    return {};
  });
}

Result<> Table::remove_alias(std::string_view name_key) {
  return database_.write([&](Transaction& tx) -> Result<> {
    PUNA_CHECK(tx.execute("DELETE FROM model_aliases WHERE name_key = :name_key", {{"name_key", name_key}}));
    return {};
  });
}

Result<> Table::remove_model(std::string_view name_key) {
  return database_.write([&](Transaction& tx) -> Result<> {
    PUNA_CHECK(remove_parts(tx, name_key));
    PUNA_CHECK(tx.execute("DELETE FROM models WHERE name_key = :name_key", {{"name_key", name_key}}));
    return {};
  });
}

Result<> Table::remove_blob(std::string_view sha256) {
  return database_.write([&](Transaction& tx) -> Result<> {
    PUNA_CHECK(tx.execute("DELETE FROM blobs WHERE sha256 = :sha256", {{"sha256", sha256}}));
    return {};
  });
}

Result<std::vector<SharedRow>> Table::load_shared() const {
  return database_.read([](Reader& reader) { return reader.query_as<SharedRow>("SELECT path, sha256, inode FROM shared_files"); });
}

Result<> Table::put_shared(const SharedRow& row) {
  return database_.write([&](Transaction& tx) -> Result<> {
    PUNA_CHECK(
        tx.execute("INSERT INTO shared_files (path, sha256, inode) VALUES (:path, :sha256, :inode) "
                   "ON CONFLICT (path) DO UPDATE SET sha256 = excluded.sha256, inode = excluded.inode",
                   store::parameters_of(row)));
    return {};
  });
}

Result<> Table::remove_shared(std::string_view path) {
  return database_.write([&](Transaction& tx) -> Result<> {
    PUNA_CHECK(tx.execute("DELETE FROM shared_files WHERE path = :path", {{"path", path}}));
    return {};
  });
}

Result<std::vector<SeenRow>> Table::load_seen() const {
  return database_.read([](Reader& reader) {
    return reader.query_as<SeenRow>("SELECT path, size, modified_ns, inode, content, description FROM seen_files");
  });
}

Result<> Table::change_seen(const std::vector<SeenRow>& put, const std::vector<std::string>& remove) {
  return database_.write([&](Transaction& tx) -> Result<> {
    for (const auto& row : put)
      PUNA_CHECK(
          tx.execute("INSERT INTO seen_files (path, size, modified_ns, inode, content, description) "
                     "VALUES (:path, :size, :modified_ns, :inode, :content, :description) "
                     "ON CONFLICT (path) DO UPDATE SET size = excluded.size, modified_ns = excluded.modified_ns, "
                     "inode = excluded.inode, content = excluded.content, description = excluded.description",
                     store::parameters_of(row)));
    for (const auto& path : remove) PUNA_CHECK(tx.execute("DELETE FROM seen_files WHERE path = :path", {{"path", path}}));
    return {};
  });
}

Result<std::vector<ProbeRow>> Table::load_probes() const {
  return database_.read([](Reader& reader) { return reader.query_as<ProbeRow>("SELECT print, findings, probed_at FROM model_probes"); });
}

Result<> Table::put_probe(const ProbeRow& row) {
  return database_.write([&](Transaction& tx) -> Result<> {
    PUNA_CHECK(
        tx.execute("INSERT INTO model_probes (print, findings, probed_at) VALUES (:print, :findings, :probed_at) "
                   "ON CONFLICT (print) DO UPDATE SET findings = excluded.findings, probed_at = excluded.probed_at",
                   store::parameters_of(row)));
    return {};
  });
}

Result<> Table::remove_probes(const std::vector<std::string>& prints) {
  if (prints.empty()) return {};
  return database_.write([&](Transaction& tx) -> Result<> {
    for (const auto& print : prints) PUNA_CHECK(tx.execute("DELETE FROM model_probes WHERE print = :print", {{"print", print}}));
    return {};
  });
}

}  // namespace puna::model
