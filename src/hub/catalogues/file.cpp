// A file of this machine.
#include <fmt/format.h>

#include <filesystem>

#include "hub/catalogues/registry.h"
#include "model/quantization_name.h"

namespace puna::hub {
namespace {

constexpr std::size_t kMostParts = 1000;

// Of a split model those parts that lie beside each other, in their order.
std::vector<std::filesystem::path> set_of(const std::filesystem::path& path) {
  const auto part = model::part_of(path.filename().string());
  if (!part || part->count > kMostParts) return {path};
  std::vector<std::filesystem::path> out;
  const auto stem = std::string(model::stem_of(path.filename().string()));
  for (std::size_t number = 1; number <= part->count; ++number) {
    auto file = path.parent_path() / fmt::format("{}-{:05}-of-{:05}{}", stem, number, part->count, path.extension().string());
    std::error_code error;
    if (std::filesystem::is_regular_file(file, error)) out.push_back(std::move(file));
  }
  return out;
}

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
    Listing out{.reference = std::move(reference), .revision = {}, .commit = {}, .files = {}};
    for (const auto& file : set_of(path)) {
      const auto size = std::filesystem::file_size(file, error);
      if (error) co_return fail(errno_error(error.value(), fmt::format("cannot examine {}", file.string())));
      out.files.push_back({.path = file.filename().string(), .size = Bytes(size), .digest = {}, .role = wire::FileRole::weights});
    }
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
