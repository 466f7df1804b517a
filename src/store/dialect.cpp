#include "store/dialect.h"

#include <fmt/format.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <array>
#include <cerrno>

#include "base/text.h"
#include "store/connection.h"

namespace puna::store::dialect {
namespace {

// "Puna" in ASCII, in the file's header: tells our database from another program's.
constexpr std::int64_t kApplicationId = 0x50756e61;

// SOCI's library keeps its type information to itself, which the sanitizer that checks such casts would need.
#define PUNA_SOCI_CAST __attribute__((no_sanitize("vptr")))

PUNA_SOCI_CAST sqlite_api::sqlite3_stmt* handle(soci::statement& statement) {
  return static_cast<soci::sqlite3_statement_backend*>(statement.get_backend())->stmt_;
}

PUNA_SOCI_CAST sqlite_api::sqlite3* handle(soci::session& session) {
  return session.is_connected() ? static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_ : nullptr;
}

Code code_of(int result, int system_error) {
  if (system_error == ENOSPC || system_error == EDQUOT) return Code::disk_full;
  switch (result & 0xff) {
    case SQLITE_FULL:
      return Code::disk_full;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_FORMAT:
      return Code::corrupt_data;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Code::unavailable;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
      return Code::permission_denied;
    case SQLITE_NOMEM:
      return Code::out_of_memory;
    case SQLITE_TOOBIG:
      return Code::too_large;
    case SQLITE_CONSTRAINT:
      return result == SQLITE_CONSTRAINT_UNIQUE || result == SQLITE_CONSTRAINT_PRIMARYKEY ? Code::already_exists : Code::conflict;
    default:
      return Code::internal;
  }
}

std::string advice(Code code) {
  if (code == Code::disk_full) return "; free some space";
  if (code == Code::corrupt_data) return "; the file was left as it is: move it away, or put a backup copy in its place";
  if (code == Code::unavailable) return "; another program holds it";
  return "";
}

}  // namespace

Result<std::string> connect_text(const std::filesystem::path& file) {
  const std::string name = file.string();
  // SOCI takes text without '=' as a file name, and anything else as a list of key=value.
  if (name.find('=') == std::string::npos) return name;
  if (name.find('"') != std::string::npos)
    return fail(Code::invalid_argument, "a database's path must not hold both '=' and '\"': " + printable(name));
  return "dbname=\"" + name + "\"";
}

std::vector<std::string> session_setup(Milliseconds patience) {
  return {fmt::format("PRAGMA busy_timeout = {}", patience.count()), "PRAGMA foreign_keys = ON",
          // A commit that was acknowledged survives a power cut too; WAL costs one sync a commit.
          "PRAGMA synchronous = FULL"};
}

Result<> prepare_file(Connection& connection, const std::filesystem::path& file) {
  PUNA_TRY(auto rows, connection.query("PRAGMA journal_mode = WAL"));
  PUNA_TRY(auto mode, rows.at(0).get_at<std::string>(0));
  if (mode != "wal")
    return fail(Code::unsupported,
                "the file system of " + file.string() + " cannot hold a shared journal; move the data folder to a local disk");
  // A write-ahead log that one large transaction blew up shrinks again.
  PUNA_CHECK(connection.query("PRAGMA journal_size_limit = 67108864"));
  return {};
}

Result<> make_read_only(Connection& connection) {
  PUNA_CHECK(connection.query("PRAGMA query_only = ON"));
  return {};
}

std::string_view begin_write() {
  return "BEGIN IMMEDIATE";
}

Result<> check_identity(Connection& connection) {
  PUNA_TRY(auto tables, connection.query("SELECT count(*) FROM sqlite_master"));
  PUNA_TRY(auto id_row, connection.query("PRAGMA application_id"));
  PUNA_TRY(auto count, tables.at(0).get_at<std::int64_t>(0));
  PUNA_TRY(auto id, id_row.at(0).get_at<std::int64_t>(0));
  if (count > 0 && id != kApplicationId) return fail(Code::corrupt_data, "this is a database of another program; it was left as it is");
  return {};
}

Result<> claim_identity(Connection& connection) {
  PUNA_CHECK(connection.execute(fmt::format("PRAGMA application_id = {}", kApplicationId)));
  return {};
}

Result<bool> table_exists(Connection& connection, std::string_view table) {
  PUNA_TRY(auto rows, connection.query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = :name", {{"name", table}}));
  return !rows.empty();
}

Result<> check_integrity(Connection& connection) {
  PUNA_TRY(auto rows, connection.query("PRAGMA integrity_check(20)"));
  std::vector<std::string> faults;
  for (const auto& row : rows) {
    PUNA_TRY(auto line, row.get_at<std::string>(0));
    if (line != "ok") faults.push_back(std::move(line));
  }
  if (!faults.empty()) return fail(Code::corrupt_data, "the database is damaged: " + join(faults, "; "));
  return {};
}

Result<> copy_to(Connection& connection, const std::filesystem::path& to) {
  PUNA_CHECK(connection.execute("VACUUM INTO :file", {{"file", to.string()}}));
  return {};
}

std::string schema_text(std::string_view sql) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kTypes = {
      {{"{blob}", "BLOB"}, {"{identity}", "INTEGER PRIMARY KEY AUTOINCREMENT"}}};
  std::string out(sql);
  for (const auto& [mark, type] : kTypes)
    for (auto at = out.find(mark); at != std::string::npos; at = out.find(mark, at + type.size())) out.replace(at, mark.size(), type);
  return out;
}

std::vector<std::string> placeholder_names(soci::statement& statement) {
  std::vector<std::string> out;
  for (int i = 1; i <= sqlite_api::sqlite3_bind_parameter_count(handle(statement)); ++i) {
    const char* name = sqlite_api::sqlite3_bind_parameter_name(handle(statement), i);
    out.emplace_back(name ? name + 1 : "?");
  }
  return out;
}

std::vector<std::string> column_names(soci::statement& statement) {
  std::vector<std::string> out;
  for (int i = 0; i < sqlite_api::sqlite3_column_count(handle(statement)); ++i)
    out.emplace_back(sqlite_api::sqlite3_column_name(handle(statement), i));
  return out;
}

// SOCI would read by the declared type: an INTEGER column as 32 bits, and an expression as text. SQLite knows each cell's own type.
std::vector<Value> read_row(soci::statement& statement) {
  auto* row = handle(statement);
  const int count = sqlite_api::sqlite3_column_count(row);
  std::vector<Value> out;
  out.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    const auto size = [&] { return static_cast<std::size_t>(sqlite_api::sqlite3_column_bytes(row, i)); };
    switch (sqlite_api::sqlite3_column_type(row, i)) {
      case SQLITE_INTEGER:
        out.emplace_back(std::int64_t{sqlite_api::sqlite3_column_int64(row, i)});
        break;
      case SQLITE_FLOAT:
        out.emplace_back(sqlite_api::sqlite3_column_double(row, i));
        break;
      case SQLITE_TEXT: {
        const auto* text = reinterpret_cast<const char*>(sqlite_api::sqlite3_column_text(row, i));
        out.emplace_back(std::in_place_type<std::string>, text, size());
        break;
      }
      case SQLITE_BLOB: {
        const auto* bytes = static_cast<const char*>(sqlite_api::sqlite3_column_blob(row, i));
        out.emplace_back(bytes ? Blob{std::string(bytes, size())} : Blob{});
        break;
      }
      default:
        out.emplace_back();
    }
  }
  return out;
}

Error last_error(soci::session& session, std::string_view fallback) {
  auto* database = handle(session);
  const int result = database ? sqlite_api::sqlite3_extended_errcode(database) : SQLITE_OK;
  // SOCI's own complaints (a placeholder that is not there) leave SQLite's state at success.
  if (result == SQLITE_OK || result == SQLITE_ROW || result == SQLITE_DONE) return {Code::internal, std::string(fallback)};
  const Code code = code_of(result, sqlite_api::sqlite3_system_errno(database));
  return {code, sqlite_api::sqlite3_errmsg(database) + advice(code)};
}

}  // namespace puna::store::dialect
