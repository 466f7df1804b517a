// The program's memory: a database with one writer, a pool of readers and numbered migrations.
//
//   auto renamed = database.write([&](store::Transaction& tx) -> Result<std::int64_t> {
//     return tx.execute("UPDATE models SET name = :to WHERE name = :from", {{"from", from}, {"to", to}});
//   });
//
// SQL here is portable: what differs between databases stands in dialect.h alone. SQLite (WAL) is the database of this build.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "store/migrations/spec.h"
#include "store/row.h"

namespace puna::store {

class Connection;

// Reads inside one snapshot: what others commit meanwhile is not seen. Lives only during Database::read or write.
class Reader {
 public:
  // Placeholders are named (":name"); each must be given, and each given one must occur.
  [[nodiscard]] Result<std::vector<Row>> query(std::string_view sql, const Parameters& parameters = {});

  template <json::Described T>
  [[nodiscard]] Result<std::vector<T>> query_as(std::string_view sql, const Parameters& parameters = {}) {
    PUNA_TRY(auto rows, query(sql, parameters));
    std::vector<T> out;
    out.reserve(rows.size());
    for (const auto& row : rows) {
      PUNA_TRY(auto item, row.as<T>());
      out.push_back(std::move(item));
    }
    return out;
  }
  // The first row, or nothing.
  template <json::Described T>
  [[nodiscard]] Result<std::optional<T>> find_as(std::string_view sql, const Parameters& parameters = {}) {
    PUNA_TRY(auto rows, query(sql, parameters));
    if (rows.empty()) return std::optional<T>{};
    PUNA_TRY(auto item, rows.front().as<T>());
    return std::optional<T>(std::move(item));
  }
  // The first column of the first row: for counts, sums and existence. Code::not_found when there is no row.
  template <class T>
  [[nodiscard]] Result<T> query_value(std::string_view sql, const Parameters& parameters = {}) {
    PUNA_TRY(auto rows, query(sql, parameters));
    if (rows.empty()) return fail(Code::not_found, "the query has no row");
    return rows.front().get_at<T>(0);
  }

 protected:
  friend class Database;
  explicit Reader(Connection& connection) : connection_(connection) {}
  Connection& connection_;
};

class Transaction : public Reader {
 public:
  // The number of rows that changed. A second row under a unique key is Code::already_exists, a broken reference Code::conflict.
  [[nodiscard]] Result<std::int64_t> execute(std::string_view sql, const Parameters& parameters = {});

 private:
  friend class Database;
  using Reader::Reader;
};

struct DatabaseOptions {
  std::size_t readers = 4;                                      // connections that read at the same time; opened when first needed
  Milliseconds patience = std::chrono::seconds(10);             // longest wait for the writer, a reader or another process
  std::span<const Migration> migrations = store::migrations();  // ascending versions
};

// Thread-safe. Functions given to read and write must not call the database again: that fails with Code::internal instead of waiting.
class Database {
 public:
  // Opens or creates the file, mode 0600; ":memory:" is a database of its own that ends with the object (one connection).
  // Applies missing migrations, each in a transaction, after a copy of an existing file was put beside it (FILE.v3.backup).
  // A database of a newer program is Code::conflict, one that is damaged or not ours Code::corrupt_data: both stay untouched.
  [[nodiscard]] static Result<Database> open(const std::filesystem::path& file, DatabaseOptions options = {});
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  // f(Reader&) -> Result<T>
  template <class F>
  [[nodiscard]] auto read(F&& f) -> std::invoke_result_t<F, Reader&> {
    PUNA_TRY(auto scope, begin_read());
    Reader reader(scope.connection());
    return f(reader);
  }
  // f(Transaction&) -> Result<T>. Commits, durably on disk when this returns, if f succeeds; otherwise leaves no trace.
  template <class F>
  [[nodiscard]] auto write(F&& f) -> std::invoke_result_t<F, Transaction&> {
    PUNA_TRY(auto scope, begin_write());
    Transaction transaction(scope.connection());
    auto result = f(transaction);
    if (result) PUNA_CHECK(scope.commit());
    return result;
  }

  [[nodiscard]] const std::filesystem::path& file() const;
  [[nodiscard]] int version() const;
  // Reads every page. Code::corrupt_data lists what is wrong.
  [[nodiscard]] Result<> check();
  // A consistent copy of a database in a file, made while others go on; `to` must not exist.
  [[nodiscard]] Result<> copy_to(const std::filesystem::path& to);

 private:
  struct State;
  // A leased connection, given back at the end; its transaction is rolled back unless committed.
  class Scope {
   public:
    Scope(State& state, Connection& connection) : state_(&state), connection_(&connection) {}
    Scope(Scope&& other) noexcept
        : state_(std::exchange(other.state_, nullptr)), connection_(other.connection_), in_transaction_(other.in_transaction_) {}
    Scope& operator=(Scope&&) = delete;
    ~Scope();
    [[nodiscard]] Connection& connection() { return *connection_; }
    [[nodiscard]] Result<> begin(Result<> begun);
    [[nodiscard]] Result<> commit();

   private:
    State* state_;
    Connection* connection_;
    bool in_transaction_ = false;
  };
  explicit Database(std::unique_ptr<State> state);
  [[nodiscard]] Result<Scope> begin_read();
  [[nodiscard]] Result<Scope> begin_write();

  std::unique_ptr<State> state_;
};

}  // namespace puna::store
