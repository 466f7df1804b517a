// What databases do differently, for SQLite. Internal to store; SQL everywhere else is portable.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "store/value.h"

namespace soci {
class session;
class statement;
}  // namespace soci

namespace puna::store {
class Connection;
}

namespace puna::store::dialect {

// What SOCI is told to connect to. Code::invalid_argument for a path that it cannot express.
[[nodiscard]] Result<std::string> connect_text(const std::filesystem::path& file);
// What each new session needs before its first statement.
[[nodiscard]] std::vector<std::string> session_setup(Milliseconds patience);
// Durability and concurrency of the file, once it is known to be ours.
[[nodiscard]] Result<> prepare_file(Connection& connection, const std::filesystem::path& file);
// Refuses writes over a connection of the readers' pool.
[[nodiscard]] Result<> make_read_only(Connection& connection);
// "BEGIN IMMEDIATE": the write lock is taken at once, so that a transaction never fails halfway for want of it.
[[nodiscard]] std::string_view begin_write();

// Code::corrupt_data for a file that is no database, is damaged, or belongs to another program; writes nothing.
[[nodiscard]] Result<> check_identity(Connection& connection);
[[nodiscard]] Result<> claim_identity(Connection& connection);
[[nodiscard]] Result<bool> table_exists(Connection& connection, std::string_view table);
[[nodiscard]] Result<> check_integrity(Connection& connection);
[[nodiscard]] Result<> copy_to(Connection& connection, const std::filesystem::path& to);

// {blob} and {identity} replaced.
[[nodiscard]] std::string schema_text(std::string_view sql);

// The names of a prepared statement's placeholders, without the colon.
[[nodiscard]] std::vector<std::string> placeholder_names(soci::statement& statement);
[[nodiscard]] std::vector<std::string> column_names(soci::statement& statement);
// The current row, with the type that each cell really has.
[[nodiscard]] std::vector<Value> read_row(soci::statement& statement);
// The error of the session's last call.
[[nodiscard]] Error last_error(soci::session& session, std::string_view fallback);

}  // namespace puna::store::dialect
