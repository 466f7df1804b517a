// The header of a GGUF file that is elsewhere, without the file.
#pragma once

#include "base/error.h"
#include "base/settings.h"
#include "gguf/reader.h"
#include "hub/transfer/transfer.h"
#include "net/http_client.h"
#include "net/io.h"

namespace puna::hub {

// One ranged request, ended as soon as enough is here: a few MiB, of which a large vocabulary is most. Code::corrupt_data for what is no
// GGUF file, Code::too_large for a header beyond 64 MiB; else the network's and the server's errors.
[[nodiscard]] net::Task<Result<gguf::Header>> fetch_header(net::HttpClient& http, const SettingsStore& settings,
                                                           transfer::Location location, Bytes file_size);

}  // namespace puna::hub
