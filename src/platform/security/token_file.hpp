#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace yyc3::security {

/// The API's bearer token: 32 random bytes as base64url (43 characters) in a file of mode 0600.
/// Threads: any, once made.
class TokenFile {
 public:
  /// Opens `path`, or makes it at first start. Errors: kDenied others may read it; kInvalid fewer
  /// than 32 or more than 512 characters, or other than printable ASCII; kUnavailable cannot be
  /// made. Every text says what to do; none quotes the token.
  static Result<TokenFile> open_or_create(const std::filesystem::path& path);

  /// Constant-time.
  [[nodiscard]] bool matches(std::string_view candidate) const;
  /// `header` is the value of Authorization: "Bearer <token>" (RFC 6750 §2.1; scheme in any case).
  [[nodiscard]] bool authorizes(std::string_view header) const;
  [[nodiscard]] const std::string& text() const { return token_; }

 private:
  explicit TokenFile(std::string token) : token_(std::move(token)) {}
  std::string token_;
};

}  // namespace yyc3::security
