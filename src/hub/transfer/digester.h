// The digests of a file, computed as its bytes pass in order.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/error.h"
#include "base/units.h"
#include "hub/transfer/transfer.h"

struct evp_md_ctx_st;

namespace puna::hub::transfer {

// Always SHA-256, and what else was wanted. Copies go on from where the original is.
class Digester {
 public:
  // The size goes into git's digest.
  Digester(Algorithm wanted, Bytes size);
  Digester(const Digester& other);
  Digester& operator=(const Digester& other);
  Digester(Digester&&) noexcept;
  Digester& operator=(Digester&&) noexcept;
  ~Digester();

  void update(std::span<const std::byte> bytes);

  struct Found {
    std::string sha256;
    std::string wanted;  // of the wanted algorithm
  };
  // Of what came so far. Fails only when OpenSSL does.
  [[nodiscard]] Result<Found> found() const;

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  using Context = std::unique_ptr<evp_md_ctx_st, Free>;
  static Context copy(const Context& context);

  Context sha256_;
  Context git_;  // null unless wanted
  bool working_ = false;
};

}  // namespace puna::hub::transfer
