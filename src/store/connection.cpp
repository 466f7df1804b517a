#include "store/connection.h"

#include <fmt/format.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <algorithm>
#include <deque>
#include <unordered_map>

#include "base/log.h"
#include "base/text.h"
#include "store/dialect.h"

namespace puna::store {
namespace {

// Prepared statements that one session keeps; the program has fewer.
constexpr std::size_t kStatementsKept = 128;

// SOCI's hook for "each fetched row goes here": it is given the row, we keep it.
class RowCollector final : public soci::details::into_type_base {
 public:
  explicit RowCollector(std::function<void()> take) : take_(std::move(take)) {}
  void define(soci::details::statement_impl&, int&) override {}
  void pre_exec(int) override {}
  void pre_fetch() override {}
  void post_fetch(bool got_row, bool) override {
    if (got_row) take_();
  }
  void clean_up() override {}
  std::size_t size() const override { return 1; }

 private:
  std::function<void()> take_;
};

// SOCI binds to addresses: this keeps what they point at until the statement has run.
class BoundValues {
 public:
  explicit BoundValues(soci::session& session) : session_(session) {}
  void bind(soci::statement& statement, const Parameter& parameter) {
    auto& indicator = indicators_.emplace_back(soci::i_ok);
    const auto& name = parameter.name;
    std::visit(
        [&](const auto& value) {
          using T = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<T, std::monostate>) {
            indicator = soci::i_null;
            statement.exchange(soci::use(integers_.emplace_back(0), indicator, name));
          } else if constexpr (std::is_same_v<T, std::int64_t>) {
            statement.exchange(soci::use(integers_.emplace_back(value), indicator, name));
          } else if constexpr (std::is_same_v<T, double>) {
            statement.exchange(soci::use(value, indicator, name));
          } else if constexpr (std::is_same_v<T, std::string>) {
            statement.exchange(soci::use(value, indicator, name));
          } else {
            auto& blob = blobs_.emplace_back(session_);
            blob.write(0, value.bytes.data(), value.bytes.size());
            statement.exchange(soci::use(blob, indicator, name));
          }
        },
        parameter.value);
  }

 private:
  soci::session& session_;
  std::deque<soci::indicator> indicators_;
  std::deque<long long> integers_;
  std::deque<soci::blob> blobs_;
};

std::string quoted_start(std::string_view sql) {
  return fmt::format("statement '{}{}'", sql.substr(0, 80), sql.size() > 80 ? "…" : "");
}

}  // namespace

struct Connection::Statement {
  explicit Statement(soci::session& session) : handle(session) {}
  soci::statement handle;
  std::vector<std::string> placeholders;
  std::shared_ptr<const Row::Columns> columns;
};

struct Connection::Session {
  soci::session handle;
  std::unordered_map<std::string, std::unique_ptr<Statement>> statements;  // destroyed before the session

  Statement& prepared(std::string_view sql);
};

Connection::Statement& Connection::Session::prepared(std::string_view sql) {
  if (const auto found = statements.find(std::string(sql)); found != statements.end()) return *found->second;
  if (statements.size() >= kStatementsKept) statements.clear();
  auto statement = std::make_unique<Statement>(handle);
  statement->handle.alloc();
  statement->handle.prepare(std::string(sql));
  statement->placeholders = dialect::placeholder_names(statement->handle);
  statement->columns = std::make_shared<Row::Columns>(dialect::column_names(statement->handle));
  return *statements.emplace(sql, std::move(statement)).first->second;
}

Connection::Connection(std::unique_ptr<Session> session) : session_(std::move(session)) {}
Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::open(const std::filesystem::path& file, Milliseconds patience) {
  PUNA_TRY(auto target, dialect::connect_text(file));
  auto session = std::make_unique<Session>();
  try {
    session->handle.open(soci::sqlite3, target);
  } catch (const soci::soci_error& error) {
    return fail(Code::permission_denied, fmt::format("cannot open the database: {}", error.get_error_message()));
  }
  std::unique_ptr<Connection> out(new Connection(std::move(session)));
  for (const auto& statement : dialect::session_setup(patience)) PUNA_CHECK(out->query(statement));
  return out;
}

Result<std::vector<Row>> Connection::run(std::string_view sql, const Parameters& parameters, std::int64_t& changed) {
  try {
    auto& statement = session_->prepared(sql);
    for (const auto& name : statement.placeholders)
      if (std::ranges::find(parameters, name, &Parameter::name) == parameters.end())
        return fail(Code::internal, fmt::format("{}: no value for ':{}'", quoted_start(sql), name));
    std::vector<Row> rows;
    BoundValues bound(session_->handle);
    auto& handle = statement.handle;
    handle.bind_clean_up();
    handle.exchange(
        soci::details::into_type_ptr(new RowCollector([&] { rows.emplace_back(statement.columns, dialect::read_row(handle)); })));
    for (const auto& parameter : parameters) bound.bind(handle, parameter);
    handle.define_and_bind();
    for (bool more = handle.execute(true); more;) more = handle.fetch();
    changed = statement.columns->empty() ? handle.get_affected_rows() : 0;
    handle.bind_clean_up();
    return rows;
  } catch (const soci::soci_error& error) {
    // Not what(): that quotes the parameters, which may be secret.
    auto failure = dialect::last_error(session_->handle, error.get_error_message());
    session_->statements.erase(std::string(sql));
    return fail(std::move(failure).within(quoted_start(sql)));
  } catch (const std::bad_alloc&) {
    session_->statements.erase(std::string(sql));
    return fail(Code::out_of_memory, quoted_start(sql) + ": not enough memory for the answer");
  }
}

Result<std::vector<Row>> Connection::query(std::string_view sql, const Parameters& parameters) {
  std::int64_t changed = 0;
  return run(sql, parameters, changed);
}

Result<std::int64_t> Connection::execute(std::string_view sql, const Parameters& parameters) {
  std::int64_t changed = 0;
  PUNA_CHECK(run(sql, parameters, changed));
  return changed;
}

Result<> Connection::begin_read() {
  PUNA_CHECK(execute("BEGIN"));
  return {};
}

Result<> Connection::begin_write() {
  PUNA_CHECK(execute(dialect::begin_write()));
  return {};
}

Result<> Connection::commit() {
  PUNA_CHECK(execute("COMMIT"));
  return {};
}

void Connection::rollback() {
  // After some errors (a full disk) SQLite has rolled back by itself, and says that there is nothing to roll back.
  if (auto done = execute("ROLLBACK"); !done) log::debug("store", "rollback", {{"error", done.error().text()}});
}

}  // namespace puna::store
