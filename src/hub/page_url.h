// The URL of a page about a model, as copied from a browser, means the model.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "net/url.h"

namespace puna::hub {

// The reference that the page of a repository or of a file stands for; nullopt when the URL is no page of a catalogue.
// Code::invalid_argument for a page that is about something else than a model.
[[nodiscard]] Result<std::optional<std::string>> parse_page_url(const net::Url& url);

}  // namespace puna::hub
