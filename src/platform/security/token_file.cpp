#include "platform/security/token_file.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "platform/security/key.hpp"
#include "platform/security/random.hpp"
#include "platform/security/secret_file.hpp"

namespace yyc3::security {

namespace {
constexpr std::size_t kShortest = 32;
constexpr std::size_t kLongest = 512;

bool usable(std::string_view token) {
  return token.size() >= kShortest && token.size() <= kLongest &&
         std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; });
}
}  // namespace

Result<TokenFile> TokenFile::open_or_create(const std::filesystem::path& path) {
  Result<std::optional<Bytes>> content = read_secret(path, kLongest + 2);
  if (content && !*content) {
    const std::string fresh = to_base64url(random_bytes(32)) + "\n";
    const Result<void> made = create_secret(path, as_bytes(fresh));
    if (!made && made.error().code != ErrorCode::kConflict)
      return tl::unexpected<Error>(made.error());
    content = read_secret(path, kLongest + 2);
  }
  if (!content && content.error().code != ErrorCode::kInvalid)
    return tl::unexpected<Error>(content.error());
  std::string token;
  if (content && *content) token = as_text(**content);
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  if (!usable(token))
    return fail(ErrorCode::kInvalid, "the token file " + path.string() +
                                         " must hold 32 to 512 printable characters without "
                                         "spaces: write one, or remove it to have one made");
  return TokenFile(std::move(token));
}

bool TokenFile::matches(std::string_view candidate) const {
  return constant_time_equal(candidate, token_);
}

bool TokenFile::authorizes(std::string_view header) const {
  static constexpr std::string_view kScheme = "bearer ";
  if (header.size() <= kScheme.size()) return false;
  const bool bearer =
      std::equal(kScheme.begin(), kScheme.end(), header.begin(), [](char want, char got) {
        return want == (got >= 'A' && got <= 'Z' ? static_cast<char>(got - 'A' + 'a') : got);
      });
  return bearer && matches(header.substr(kScheme.size()));
}

}  // namespace yyc3::security
