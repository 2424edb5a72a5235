#include "api/static_files.hpp"

#include <array>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/bytes.hpp"
#include "platform/security/key.hpp"

namespace yyc3::api {

namespace {

constexpr std::uintmax_t kBytesMax = 32u << 20;

std::string type_of(const std::filesystem::path& file) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kTypes{
      {{".html", "text/html; charset=utf-8"},
       {".js", "text/javascript; charset=utf-8"},
       {".css", "text/css; charset=utf-8"},
       {".svg", "image/svg+xml"},
       {".json", "application/json"},
       {".webmanifest", "application/manifest+json"},
       {".png", "image/png"},
       {".ico", "image/x-icon"},
       {".woff2", "font/woff2"},
       {".wav", "audio/wav"},
       {".txt", "text/plain; charset=utf-8"}}};
  const std::string extension = file.extension().string();
  for (const auto& [known, type] : kTypes)
    if (extension == known) return std::string(type);
  return "application/octet-stream";
}

}  // namespace

Result<StaticFiles> StaticFiles::load(const std::filesystem::path& folder) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(folder / "index.html", error))
    return fail(ErrorCode::kNotFound,
                fmt::format("no console in {}: build it with `make web`", folder.string()));
  StaticFiles loaded;
  std::uintmax_t total = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    if (!entry.is_regular_file()) continue;
    total += entry.file_size();
    if (total > kBytesMax)
      return fail(ErrorCode::kInvalid, fmt::format("{}: more than 32 MiB", folder.string()));
    std::ifstream in(entry.path(), std::ios::binary);
    std::string body{std::istreambuf_iterator<char>(in), {}};
    const std::string etag =
        fmt::format("\"{}\"", security::sha256_hex(as_bytes(body)).substr(0, 16));
    const std::string path = "/" + std::filesystem::relative(entry.path(), folder).generic_string();
    loaded.files_.emplace(path, File{std::move(body), type_of(entry.path()), etag});
  }
  return loaded;
}

std::optional<net::HttpResponse> StaticFiles::serve(const net::HttpRequest& request) const {
  auto at = files_.find(request.path);
  const bool page = at == files_.end() && request.path.find('.') == std::string::npos;
  if (page) at = files_.find("/index.html");
  if (at == files_.end()) return std::nullopt;
  const File& file = at->second;
  const bool hashed = request.path.starts_with("/assets/");
  net::HttpResponse response = request.headers.get("If-None-Match") == std::string_view(file.etag)
                                   ? net::HttpResponse(304)
                                   : net::HttpResponse(200, file.body, file.type);
  response.headers.set("ETag", file.etag);
  response.headers.set("Cache-Control",
                       hashed ? "public, max-age=31536000, immutable" : "no-cache");
  return response;
}

}  // namespace yyc3::api
