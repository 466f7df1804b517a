#include "store/database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>

#include "base/log.h"
#include "store/connection.h"
#include "store/dialect.h"

namespace puna::store {
namespace {

constexpr std::string_view kMemory = ":memory:";

// SQLite gives its journals the mode of the main file, so that only this one must be made private.
Result<> create_private_file(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) return fail(errno_error(errno, "cannot create " + file.string()));
  ::close(fd);
  return {};
}

Result<int> read_version(Connection& connection) {
  PUNA_TRY(bool present, dialect::table_exists(connection, "schema_version"));
  if (!present) return 0;
  PUNA_TRY(auto rows, connection.query("SELECT coalesce(max(version), 0) FROM schema_version"));
  return rows.at(0).get_at<int>(0);
}

Result<> apply(Connection& connection, const Migration& migration) {
  if (migration.version == 1) {
    PUNA_CHECK(dialect::claim_identity(connection));
    PUNA_CHECK(connection.execute(
        "CREATE TABLE schema_version (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)"));
  }
  for (const auto statement : migration.statements) PUNA_CHECK(connection.execute(dialect::schema_text(statement)));
  PUNA_CHECK(connection.execute(
      "INSERT INTO schema_version (version, name, applied_at) VALUES (:version, :name, :applied_at)",
      {{"version", migration.version}, {"name", migration.name}, {"applied_at", WallTime(std::chrono::system_clock::now())}}));
  return {};
}

Result<> migrate_one(Connection& connection, const Migration& migration) {
  const auto step = fmt::format("migration {} ({})", migration.version, migration.name);
  if (auto begun = connection.begin_write(); !begun) return fail(std::move(begun).error().within(step));
  // Another process may have taken this step while we waited for the lock.
  auto version = read_version(connection);
  Result<> done = version ? Result<>{} : fail(std::move(version).error());
  if (done && *version < migration.version) done = apply(connection, migration);
  if (done) done = connection.commit();
  if (done) return {};
  connection.rollback();
  return fail(std::move(done).error().within(step));
}

Result<> keep_backup(Connection& connection, const std::filesystem::path& file, int version) {
  const std::filesystem::path kept = fmt::format("{}.v{}.backup", file.string(), version);
  const std::filesystem::path part = kept.string() + ".part";
  std::error_code error;
  std::filesystem::remove(part, error);
  PUNA_CHECK(create_private_file(part));
  if (auto copied = dialect::copy_to(connection, part); !copied) {
    std::filesystem::remove(part, error);
    return fail(std::move(copied).error().within("backup before migration"));
  }
  std::filesystem::rename(part, kept, error);
  if (error) return fail(errno_error(error.value(), "cannot keep the backup " + kept.string()));
  log::info("store", "backup before migration", {{"file", kept.string()}});
  return {};
}

Result<> migrate(Connection& connection, const std::filesystem::path& file, int version, std::span<const Migration> steps) {
  const int newest = steps.empty() ? 0 : steps.back().version;
  if (version > 0 && version < newest && file != kMemory) PUNA_CHECK(keep_backup(connection, file, version));
  for (const auto& step : steps) {
    if (step.version <= version) continue;
    PUNA_CHECK(migrate_one(connection, step));
    log::info("store", "migrated", {{"version", step.version}, {"name", step.name}});
  }
  return {};
}

}  // namespace

struct Database::State {
  std::filesystem::path file;
  DatabaseOptions options;
  int version = 0;
  std::unique_ptr<Connection> writer;

  std::mutex mutex;  // guards what follows
  std::condition_variable released;
  bool writer_leased = false;
  std::vector<std::unique_ptr<Connection>> idle_readers;
  std::vector<std::unique_ptr<Connection>> leased_readers;
  std::size_t opening_readers = 0;
  std::set<std::thread::id> users;  // threads inside read() or write()

  [[nodiscard]] Result<Connection*> lease_writer();
  [[nodiscard]] Result<Connection*> lease_reader();
  void release(Connection& connection);

 private:
  [[nodiscard]] Result<> enter(std::unique_lock<std::mutex>& lock, std::string_view what, const std::function<bool()>& ready);
};

Result<> Database::State::enter(std::unique_lock<std::mutex>& lock, std::string_view what, const std::function<bool()>& ready) {
  if (users.contains(std::this_thread::get_id()))
    return fail(Code::internal, "the database is used from inside one of its own reads or writes");
  if (!released.wait_for(lock, options.patience, ready))
    return fail(Code::unavailable,
                fmt::format("the database is busy: no {} became free within {}", what, format_duration(options.patience)));
  users.insert(std::this_thread::get_id());
  return {};
}

Result<Connection*> Database::State::lease_writer() {
  std::unique_lock lock(mutex);
  PUNA_CHECK(enter(lock, "writer", [&] { return !writer_leased; }));
  writer_leased = true;
  return writer.get();
}

Result<Connection*> Database::State::lease_reader() {
  if (file == kMemory) return lease_writer();
  std::unique_lock lock(mutex);
  PUNA_CHECK(enter(lock, "reader", [&] {
    return !idle_readers.empty() || leased_readers.size() + opening_readers < std::max<std::size_t>(1, options.readers);
  }));
  if (idle_readers.empty()) {
    ++opening_readers;
    lock.unlock();
    auto opened = Connection::open(file, options.patience);
    Result<> limited = opened ? dialect::make_read_only(**opened) : Result<>{};
    lock.lock();
    --opening_readers;
    if (!opened || !limited) {
      users.erase(std::this_thread::get_id());
      released.notify_all();
      return fail(opened ? std::move(limited).error() : std::move(opened).error());
    }
    idle_readers.push_back(std::move(*opened));
  }
  leased_readers.push_back(std::move(idle_readers.back()));
  idle_readers.pop_back();
  return leased_readers.back().get();
}

void Database::State::release(Connection& connection) {
  {
    std::lock_guard lock(mutex);
    users.erase(std::this_thread::get_id());
    if (&connection == writer.get()) {
      writer_leased = false;
    } else {
      const auto lease = std::ranges::find(leased_readers, &connection, &std::unique_ptr<Connection>::get);
      idle_readers.push_back(std::move(*lease));
      leased_readers.erase(lease);
    }
  }
  released.notify_all();
}

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

Result<Database> Database::open(const std::filesystem::path& file, DatabaseOptions options) {
  const auto context = [&](Error error) { return fail(std::move(error).within("database " + file.string())); };
  const bool memory = file == kMemory;
  const int newest = options.migrations.empty() ? 0 : options.migrations.back().version;
  std::error_code ignored_missing;
  if (!memory && !std::filesystem::exists(file, ignored_missing))
    if (auto created = create_private_file(file); !created) return context(std::move(created).error());

  auto writer = Connection::open(file, options.patience);
  if (!writer) return context(std::move(writer).error());
  if (auto ours = dialect::check_identity(**writer); !ours) return context(std::move(ours).error());
  auto version = read_version(**writer);
  if (!version) return context(std::move(version).error());
  if (*version > newest)
    return context({Code::conflict, fmt::format("it has version {}, and this program knows versions up to {}: use the newer program that "
                                                "wrote it, or put the backup copy beside it in its place",
                                                *version, newest)});
  if (!memory)
    if (auto prepared = dialect::prepare_file(**writer, file); !prepared) return context(std::move(prepared).error());
  if (auto migrated = migrate(**writer, file, *version, options.migrations); !migrated) return context(std::move(migrated).error());

  auto state = std::make_unique<State>();
  state->file = file;
  state->options = options;
  state->version = newest;
  state->writer = std::move(*writer);
  return Database(std::move(state));
}

const std::filesystem::path& Database::file() const {
  return state_->file;
}
int Database::version() const {
  return state_->version;
}

Result<Database::Scope> Database::begin_read() {
  PUNA_TRY(auto* connection, state_->lease_reader());
  Scope scope(*state_, *connection);
  PUNA_CHECK(scope.begin(connection->begin_read()));
  return scope;
}

Result<Database::Scope> Database::begin_write() {
  PUNA_TRY(auto* connection, state_->lease_writer());
  Scope scope(*state_, *connection);
  PUNA_CHECK(scope.begin(connection->begin_write()));
  return scope;
}

Result<> Database::check() {
  PUNA_TRY(auto* connection, state_->lease_reader());
  Scope scope(*state_, *connection);
  return dialect::check_integrity(*connection);
}

Result<> Database::copy_to(const std::filesystem::path& to) {
  PUNA_CHECK(create_private_file(to));
  // A connection of its own: those of the readers refuse whatever writes, even to another file.
  auto connection = Connection::open(state_->file, state_->options.patience);
  Result<> copied = connection ? dialect::copy_to(**connection, to) : fail(std::move(connection).error());
  if (copied) return {};
  std::error_code left_behind;
  std::filesystem::remove(to, left_behind);
  return fail(std::move(copied).error().within("copy of the database to " + to.string()));
}

Result<> Database::Scope::begin(Result<> begun) {
  in_transaction_ = begun.has_value();
  return begun;
}

Result<> Database::Scope::commit() {
  PUNA_CHECK(connection_->commit());
  in_transaction_ = false;
  return {};
}

Database::Scope::~Scope() {
  if (!state_) return;
  if (in_transaction_) connection_->rollback();
  state_->release(*connection_);
}

Result<std::vector<Row>> Reader::query(std::string_view sql, const Parameters& parameters) {
  return connection_.query(sql, parameters);
}

Result<std::int64_t> Transaction::execute(std::string_view sql, const Parameters& parameters) {
  return connection_.execute(sql, parameters);
}

}  // namespace puna::store
