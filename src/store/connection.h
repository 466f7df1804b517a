// One session with the database, and what databases do differently. Internal to store.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "store/row.h"

namespace puna::store {

// Wraps a SOCI session: its exceptions end here, and statements stay prepared. Used by one thread at a time.
class Connection {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Connection>> open(const std::filesystem::path& file, Milliseconds patience);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  [[nodiscard]] Result<std::vector<Row>> query(std::string_view sql, const Parameters& parameters = {});
  [[nodiscard]] Result<std::int64_t> execute(std::string_view sql, const Parameters& parameters = {});
  [[nodiscard]] Result<> begin_read();
  [[nodiscard]] Result<> begin_write();
  [[nodiscard]] Result<> commit();
  void rollback();

 private:
  struct Session;
  struct Statement;
  explicit Connection(std::unique_ptr<Session> session);
  Result<std::vector<Row>> run(std::string_view sql, const Parameters& parameters, std::int64_t& changed);
  std::unique_ptr<Session> session_;
};

}  // namespace puna::store
