// A file of this machine.
#include <fmt/format.h>

#include <filesystem>

#include "hub/catalogues/registry.h"

namespace puna::hub {
namespace {

class Files final : public Catalogue {
 public:
  net::Task<Result<wire::HubModel>> about(Reference reference) override {
    co_return wire::HubModel{
        .about = {.catalogue = std::string(kFile), .repository = reference.place, .source = reference.place}, .revision = {}, .commit = {}};
  }
  net::Task<Result<Head>> head(Reference reference) override {
    co_return Head{.repository = reference.place, .revision = {}, .commit = {}};
  }
  net::Task<Result<Listing>> list(Reference reference) override {
    const std::filesystem::path path = reference.place;
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (status.type() == std::filesystem::file_type::not_found)
      co_return fail(Code::not_found, fmt::format("there is no file {}", path.string()));
    if (error) co_return fail(errno_error(error.value(), fmt::format("cannot examine {}", path.string())));
    if (status.type() == std::filesystem::file_type::directory)
      co_return fail(Code::invalid_argument, fmt::format("{} is a folder: name a file in it", path.string()));
    if (status.type() != std::filesystem::file_type::regular)
      co_return fail(Code::invalid_argument, fmt::format("{} is not a regular file", path.string()));
    const auto size = std::filesystem::file_size(path, error);
    if (error) co_return fail(errno_error(error.value(), fmt::format("cannot examine {}", path.string())));
    Listing out{.reference = std::move(reference), .revision = {}, .commit = {}, .files = {}};
    out.files.push_back({.path = path.filename().string(), .size = Bytes(size), .digest = {}, .role = wire::FileRole::weights});
    co_return out;
  }
  net::Task<Result<transfer::Location>> locate(Listing listing, ListedFile, std::size_t, Renew) override {
    co_return fail(Code::internal, fmt::format("{} lies on this machine and is not fetched", listing.reference.place));
  }
};

}  // namespace

constinit const CatalogueSpec kFileCatalogue = {
    .name = kFile,
    .title = "this machine",
    .form = "the path of a GGUF file",
    .searches = false,
    .make = [](const Access&) -> std::unique_ptr<Catalogue> { return std::make_unique<Files>(); }};

}  // namespace puna::hub
