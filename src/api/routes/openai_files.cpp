#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "api/openai/members.h"
#include "api/openai/page.h"
#include "api/openai/responses/create.h"
#include "api/openai/tables.h"
#include "api/routes/groups.h"
#include "base/settings_registry.h"
#include "base/text.h"
#include "net/multipart.h"

namespace puna::api {
namespace {

using openai::bad;
using openai::responses::owner_of;

constexpr std::size_t kLongestField = 4096;
constexpr std::array<std::string_view, 6> kPurposes = {"batch", "fine-tune", "user_data", "assistants", "vision", "evals"};

// What a form says, its file aside.
class UploadForm {
 public:
  UploadForm(batch::Files::Upload upload, std::string_view boundary) : upload_(std::move(upload)), parser_(boundary) {}

  // Blocks: writes what there is of the file.
  Result<> feed(std::string_view bytes) { return parser_.feed(bytes, sink_); }
  // Code::invalid_argument names the field.
  Result<batch::Files::Description> finish() {
    PUNA_CHECK(parser_.finish());
    json::object given;
    for (const auto& [name, value] : fields_) given[name] = value;
    PUNA_CHECK(check_members(openai::files_table(), given));
    if (!filename_) return bad("file", "required, but missing");
    const auto& purpose = fields_["purpose"];
    if (std::ranges::find(kPurposes, purpose) == kPurposes.end())
      return bad("purpose", fmt::format("'{}' is not one of {}", printable(purpose), join_purposes()));
    batch::Files::Description out{.filename = *filename_, .purpose = purpose};
    PUNA_TRY(out.lifetime, lifetime());
    return out;
  }
  [[nodiscard]] batch::Files::Upload take_upload() { return std::move(upload_); }

 private:
  static std::string join_purposes() {
    std::string out;
    for (const auto purpose : kPurposes) out += (out.empty() ? "" : ", ") + std::string(purpose);
    return out;
  }
  Result<std::optional<Milliseconds>> lifetime() {
    const auto seconds = fields_.find("expires_after[seconds]");
    if (seconds == fields_.end()) return std::nullopt;
    if (const auto anchor = fields_.find("expires_after[anchor]"); anchor != fields_.end() && anchor->second != "created_at")
      return bad("expires_after.anchor", "only 'created_at' is known");
    std::int64_t number = 0;
    const auto& text = seconds->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    constexpr std::int64_t kMost = 10LL * 365 * 86400;
    if (error != std::errc{} || end != text.data() + text.size() || number < 1 || number > kMost)
      return bad("expires_after.seconds", fmt::format("expected a number from 1 to {}", kMost));
    return std::chrono::seconds(number);
  }
  Result<> begin(net::FormPart part) {
    field_ = part.name;
    if (part.name != "file") return {};
    if (filename_) return bad("file", "only one can be uploaded at a time");
    filename_ = part.filename.value_or("upload");
    return {};
  }
  Result<> take(std::string_view data) {
    if (field_ == "file") return upload_.write(data);
    auto& value = fields_[field_];
    if (value.size() + data.size() > kLongestField || fields_.size() > 16) return bad("form", "a field is too long, or there are too many");
    value += data;
    return {};
  }

  batch::Files::Upload upload_;
  net::MultipartParser parser_;
  std::string field_;
  std::map<std::string, std::string, std::less<>> fields_;
  std::optional<std::string> filename_;
  const net::MultipartParser::Sink sink_{.begin = [this](net::FormPart part) { return begin(std::move(part)); },
                                         .data = [this](std::string_view data) { return take(data); }};
};

json::object file_object(const batch::File& file) {
  json::object out{{"id", file.id},
                   {"object", "file"},
                   {"bytes", file.bytes},
                   {"created_at", unix_seconds(file.created_at)},
                   {"filename", file.filename},
                   {"purpose", file.purpose},
                   {"status", "processed"},
                   {"status_details", nullptr}};
  if (file.expires_at) out["expires_at"] = unix_seconds(*file.expires_at);
  return out;
}

net::Task<Result<>> upload_file(Call& call) {
  PUNA_CO_TRY(const auto boundary, net::MultipartParser::boundary_of(call.request().headers.get("Content-Type").value_or("")));
  auto& files = call.workbench().files();
  PUNA_CO_TRY(auto upload, co_await call.blocking([&] { return files.begin(owner_of(call.caller())); }));
  UploadForm form(std::move(upload), boundary);
  while (true) {
    PUNA_CO_TRY(const auto piece, co_await call.request().read_body());
    if (!piece) break;
    PUNA_CO_CHECK(co_await call.blocking([&] { return form.feed(*piece); }));
  }
  PUNA_CO_TRY(auto description, form.finish());
  PUNA_CO_TRY(const auto file, co_await call.blocking([&] { return files.keep(form.take_upload(), std::move(description)); }));
  co_return co_await call.reply(file_object(file));
}

net::Task<Result<>> list_files(Call& call) {
  auto& files = call.workbench().files();
  PUNA_CO_TRY(const auto all, co_await call.blocking([&] { return files.list(owner_of(call.caller())); }));
  const auto purpose = call.request().query.get("purpose");
  json::array data;
  for (const auto& file : all)
    if (!purpose || file.purpose == *purpose) data.push_back(file_object(file));
  PUNA_CO_TRY(auto page, openai::page_of(call, data));
  co_return co_await call.reply(std::move(page));
}

net::Task<Result<batch::File>> find_file(Call& call) {
  auto& files = call.workbench().files();
  co_return co_await call.blocking([&] { return files.find(owner_of(call.caller()), call.path_parameter("file")); });
}

net::Task<Result<>> show_file(Call& call) {
  PUNA_CO_TRY(const auto file, co_await find_file(call));
  co_return co_await call.reply(file_object(file));
}

net::Task<Result<>> delete_file(Call& call) {
  const auto& id = call.path_parameter("file");
  auto& batches = call.workbench().batches();
  PUNA_CO_CHECK(co_await call.blocking([&] { return batches.remove_file(owner_of(call.caller()), id); }));
  co_return co_await call.reply(json::object{{"id", id}, {"object", "file"}, {"deleted", true}});
}

Result<std::string> read_piece(int descriptor) {
  std::string out(256 << 10, '\0');
  while (true) {
    const auto got = ::read(descriptor, out.data(), out.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno_error(errno, "the file cannot be read"));
    out.resize(static_cast<std::size_t>(got));
    return out;
  }
}

net::Task<Result<>> send_content(Call& call) {
  PUNA_CO_TRY(const auto file, co_await find_file(call));
  auto& files = call.workbench().files();
  PUNA_CO_TRY(const auto content, co_await call.blocking([&] { return files.open_content(file); }));
  PUNA_CO_CHECK(
      co_await call.responder().start(200, {{"Content-Type", "application/octet-stream"}, {"Content-Length", std::to_string(file.bytes)}}));
  while (true) {
    PUNA_CO_TRY(const auto piece, co_await call.blocking([&] { return read_piece(content.get()); }));
    if (piece.empty()) co_return co_await call.responder().finish();
    PUNA_CO_CHECK(co_await call.responder().write(piece));
  }
}

Bytes largest_form(const Settings& settings) {
  return Bytes(settings.get(setting::kLargestFile).count + mib(1).count);  // the form around the file
}

std::vector<QueryParameter> list_parameters() {
  auto out = openai::page_parameters();
  out.push_back({"purpose", "only files of that purpose"});
  return out;
}

}  // namespace

std::span<const Route> openai_file_routes() {
  static const std::vector<Route> routes = {
      {.method = "POST",
       .path = "/v1/files",
       .operation = "createFile",
       .summary = "leave a file, such as the input of a batch (multipart/form-data: file, purpose)",
       .handle = upload_file,
       .scope = wire::Scope::inference,
       .dialect = Dialect::openai,
       .streamed_body = largest_form},
      {.method = "GET",
       .path = "/v1/files",
       .operation = "listFiles",
       .summary = "your files",
       .handle = list_files,
       .scope = wire::Scope::inference,
       .dialect = Dialect::openai,
       .query = list_parameters()},
      {.method = "GET",
       .path = "/v1/files/{file}",
       .operation = "retrieveFile",
       .summary = "one file, without its content",
       .handle = show_file,
       .scope = wire::Scope::inference,
       .dialect = Dialect::openai},
      {.method = "DELETE",
       .path = "/v1/files/{file}",
       .operation = "deleteFile",
       .summary = "remove a file",
       .handle = delete_file,
       .scope = wire::Scope::inference,
       .dialect = Dialect::openai},
      {.method = "GET",
       .path = "/v1/files/{file}/content",
       .operation = "downloadFile",
       .summary = "the content of a file",
       .handle = send_content,
       .scope = wire::Scope::inference,
       .response_type = "application/octet-stream",
       .dialect = Dialect::openai},
  };
  return routes;
}

}  // namespace puna::api
