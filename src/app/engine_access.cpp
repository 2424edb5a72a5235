#include "app/engine_access.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "base/bytes.hpp"
#include "platform/security/secret_file.hpp"

namespace yyc3::app {

namespace {

constexpr std::size_t kKeyBytesMax = 4096;

}  // namespace

Result<std::string> read_engine_key(const char* name, const std::string& file) {
  if (file.empty()) return std::string();
  const auto bytes = security::read_secret(file, kKeyBytesMax);
  if (!bytes) return fail(bytes.error().code, fmt::format("{}: {}", name, bytes.error().detail));
  if (!*bytes) return fail(ErrorCode::kNotFound, fmt::format("{}: {}: no such file", name, file));
  std::string key(as_text(**bytes));
  key.erase(key.find_last_not_of(" \r\n\t") + 1);
  const auto visible = [](char c) { return c > ' ' && c < 127; };
  if (key.empty() || !std::ranges::all_of(key, visible))
    return fail(ErrorCode::kInvalid, fmt::format("{}: {}: must hold the key alone", name, file));
  return key;
}

Result<net::Endpoint> engine_endpoint(const std::string& name, const std::string& url) {
  auto endpoint = net::Endpoint::parse(url);
  if (!endpoint) return fail(ErrorCode::kInvalid, name + ": " + endpoint.error().detail);
  std::string& base = endpoint->base_path;
  if (base.ends_with("/v1")) base.erase(base.size() - 3);
  return endpoint;
}

}  // namespace yyc3::app
