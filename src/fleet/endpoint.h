// Where a worker answers.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"
#include "fleet/launch.h"
#include "net/http_client.h"

namespace puna::fleet {

// llama.cpp's HTTP routes on a Unix socket, or OpenAI's API at an address.
struct Endpoint {
  std::filesystem::path socket;   // empty: at `url`
  net::Url url;                   // without "/v1"
  Secret key;                     // goes along as a bearer token; empty: none
  std::string served_name;        // what the model is called there; empty: as the request says
  bool speaks_llama_cpp = false;  // its routes beside OpenAI's, too

  // `target` as llama.cpp has it: "/v1/chat/completions".
  [[nodiscard]] net::HttpRequest request(std::string method, std::string_view target) const;
};

// Of a launch whose kind is remote: reads the key where the profile says that it is. Blocks shortly.
[[nodiscard]] Result<Endpoint> remote_endpoint(const Launch& launch);

// A TCP port of this machine that nobody listens at. Another program may take it before it is used.
[[nodiscard]] Result<std::uint16_t> free_port();

}  // namespace puna::fleet
