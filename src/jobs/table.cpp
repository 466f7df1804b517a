#include "jobs/table.h"

namespace puna::jobs {

using store::Reader;
using store::Transaction;

Result<std::vector<Record>> Table::load() const {
  return database_.read([](Reader& reader) { return reader.query_as<Record>("SELECT * FROM jobs ORDER BY sequence"); });
}

Result<> Table::insert(const Record& record) {
  return database_.write([&](Transaction& tx) -> Result<> {
    PUNA_CHECK(
        tx.execute("INSERT INTO jobs (id, sequence, kind, title, active_key, state, request, result, failure, checkpoint, progress, "
                   "attempt, crashes, created_at, updated_at) VALUES (:id, :sequence, :kind, :title, :active_key, :state, :request, "
                   ":result, :failure, :checkpoint, :progress, :attempt, :crashes, :created_at, :updated_at)",
                   store::parameters_of(record)));
    return {};
  });
}

Result<> Table::update(const Record& record) {
  return database_.write([&](Transaction& tx) -> Result<> {
    PUNA_TRY(auto changed,
             tx.execute("UPDATE jobs SET active_key = :active_key, state = :state, result = :result, failure = :failure, "
                        "checkpoint = :checkpoint, progress = :progress, attempt = :attempt, crashes = :crashes, updated_at = :updated_at "
                        "WHERE id = :id",
                        {{"id", record.id},
                         {"active_key", record.active_key},
                         {"state", record.state},
                         {"result", record.result},
                         {"failure", record.failure},
                         {"checkpoint", record.checkpoint},
                         {"progress", record.progress},
                         {"attempt", record.attempt},
                         {"crashes", record.crashes},
                         {"updated_at", record.updated_at}}));
    if (changed != 1) return fail(Code::corrupt_data, "job " + record.id + " is no longer in the database");
    return {};
  });
}

Result<> Table::remove(std::span<const std::string> ids) {
  return database_.write([&](Transaction& tx) -> Result<> {
    for (const auto& id : ids) PUNA_CHECK(tx.execute("DELETE FROM jobs WHERE id = :id", {{"id", id}}));
    return {};
  });
}

}  // namespace puna::jobs
