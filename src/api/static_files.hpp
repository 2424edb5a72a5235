#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "platform/net/http.hpp"

namespace yyc3::api {

/// The console's files, read once at start (a few hundred KB) and served from memory.
/// Hashed assets (/assets/…) are cached for ever, HTML never. An unknown path without a dot is a
/// page of the single-page app. Threads: any after the start.
class StaticFiles {
 public:
  /// Bound: 32 MiB in all. Errors: kNotFound no index.html there; kInvalid too large.
  static Result<StaticFiles> load(const std::filesystem::path& folder);

  /// nullopt when there is no such file.
  [[nodiscard]] std::optional<net::HttpResponse> serve(const net::HttpRequest& request) const;

 private:
  struct File {
    std::string body;
    std::string type;
    std::string etag;
  };
  std::map<std::string, File, std::less<>> files_;
};

}  // namespace yyc3::api
