#include "batch/table.h"

#include <fmt/format.h>

#include "base/text.h"

namespace puna::batch {
namespace {

using store::Reader;
using store::Transaction;

Result<> write_row(Transaction& tx, const Batch& batch) {
  PUNA_CHECK(tx.execute("UPDATE batches SET state = :state, record = :record WHERE id = :id",
                        {{"id", batch.id}, {"state", batch.state}, {"record", json::encode(batch)}}));
  return {};
}

Result<Batch> decode(const store::Row& row) {
  PUNA_TRY(const auto record, row.get<json::value>("record"));
  auto batch = json::decode<Batch>(record, json::Unknown::ignore);
  if (!batch) return fail(Code::corrupt_data, batch.error().message);
  return batch;
}

Result<Batch> decode_with_counts(Reader& reader, const store::Row& row) {
  PUNA_TRY(auto batch, decode(row));
  if (has_ended(batch.state)) return batch;
  PUNA_TRY(const auto counts,
           reader.query("SELECT COUNT(*), COALESCE(SUM(failed), 0) FROM batch_lines WHERE batch = :id", {{"id", batch.id}}));
  PUNA_TRY(const auto answered, counts.front().get_at<std::int64_t>(0));
  PUNA_TRY(batch.counts.failed, counts.front().get_at<std::int64_t>(1));
  batch.counts.completed = answered - batch.counts.failed;
  return batch;
}

Result<Batch> read_one(Reader& reader, std::string_view id, std::optional<std::string_view> owner) {
  PUNA_TRY(const auto rows, reader.query("SELECT owner, record FROM batches WHERE id = :id", {{"id", id}}));
  const auto missing = [&] {
    return fail(Code::not_found, fmt::format("there is no batch {}; GET /v1/batches lists yours", printable(id)));
  };
  if (rows.empty()) return missing();
  PUNA_TRY(const auto whose, rows.front().get<std::string>("owner"));
  if (owner && *owner != whose) return missing();
  return decode_with_counts(reader, rows.front());
}

Result<std::vector<Batch>> decode_all(Reader& reader, const std::vector<store::Row>& rows) {
  std::vector<Batch> out;
  for (const auto& row : rows) {
    PUNA_TRY(auto batch, decode_with_counts(reader, row));
    out.push_back(std::move(batch));
  }
  return out;
}

}  // namespace

Result<> Table::insert(const Batch& batch) {
  return database_.write([&](Transaction& tx) -> Result<> {
    PUNA_CHECK(tx.execute("INSERT INTO batches (id, owner, state, record, created_at) VALUES (:id, :owner, :state, :record, :created_at)",
                          {{"id", batch.id},
                           {"owner", batch.owner},
                           {"state", batch.state},
                           {"record", json::encode(batch)},
                           {"created_at", batch.created_at}}));
    return {};
  });
}

Result<Batch> Table::change(std::string_view id, const std::function<Result<>(Batch&)>& change) {
  return database_.write([&](Transaction& tx) -> Result<Batch> {
    PUNA_TRY(auto batch, read_one(tx, id, {}));
    PUNA_CHECK(change(batch));
    PUNA_CHECK(write_row(tx, batch));
    return batch;
  });
}

Result<Batch> Table::find(std::string_view id, std::optional<std::string_view> owner) {
  return database_.read([&](Reader& reader) { return read_one(reader, id, owner); });
}

Result<std::vector<Batch>> Table::list(std::string_view owner) {
  return database_.read([&](Reader& reader) -> Result<std::vector<Batch>> {
    PUNA_TRY(const auto rows, reader.query("SELECT record FROM batches WHERE owner = :owner ORDER BY created_at, id", {{"owner", owner}}));
    return decode_all(reader, rows);
  });
}

Result<std::vector<Batch>> Table::unfinished() {
  return database_.read([&](Reader& reader) -> Result<std::vector<Batch>> {
    PUNA_TRY(const auto rows, reader.query("SELECT record FROM batches WHERE state NOT IN ('failed', 'completed', 'expired', 'cancelled') "
                                           "ORDER BY created_at, id"));
    return decode_all(reader, rows);
  });
}

Result<> Table::add_line(std::string_view batch, const AnsweredLine& line) {
  const auto added = database_.write([&](Transaction& tx) {
    return tx.execute("INSERT INTO batch_lines (batch, line, failed, answer) VALUES (:batch, :line, :failed, :answer)",
                      {{"batch", batch}, {"line", line.line}, {"failed", line.failed}, {"answer", line.answer}});
  });
  if (!added && added.error().code != Code::already_exists) return fail(added.error());
  return {};
}

Result<std::set<std::int64_t>> Table::answered(std::string_view batch) {
  PUNA_TRY(const auto rows, database_.read([&](Reader& reader) {
    return reader.query("SELECT line FROM batch_lines WHERE batch = :batch", {{"batch", batch}});
  }));
  std::set<std::int64_t> out;
  for (const auto& row : rows) {
    PUNA_TRY(const auto line, row.get_at<std::int64_t>(0));
    out.insert(line);
  }
  return out;
}

Result<std::vector<AnsweredLine>> Table::lines_after(std::string_view batch, std::int64_t line, std::int64_t count) {
  return database_.read([&](Reader& reader) {
    return reader.query_as<AnsweredLine>(
        "SELECT line, failed, answer FROM batch_lines WHERE batch = :batch AND line > :line ORDER BY line LIMIT :count",
        {{"batch", batch}, {"line", line}, {"count", count}});
  });
}

Result<Batch> Table::end(std::string_view id, const std::function<Result<>(Transaction&, Batch&)>& more) {
  return database_.write([&](Transaction& tx) -> Result<Batch> {
    PUNA_TRY(auto batch, read_one(tx, id, {}));
    PUNA_CHECK(more(tx, batch));
    PUNA_CHECK(write_row(tx, batch));
    PUNA_CHECK(tx.execute("DELETE FROM batch_lines WHERE batch = :id", {{"id", id}}));
    return batch;
  });
}

}  // namespace puna::batch
