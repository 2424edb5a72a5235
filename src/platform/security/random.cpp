#include "platform/security/random.hpp"

#include <cstdio>
#include <cstdlib>
#include <openssl/rand.h>

namespace yyc3::security {

void random_bytes(std::span<std::uint8_t> out) {
  if (out.empty()) return;
  if (out.size() > 1U << 30 || RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) {
    std::fputs("no random numbers from OpenSSL: refusing to go on with guessable keys\n", stderr);
    std::abort();
  }
}

Bytes random_bytes(std::size_t count) {
  Bytes out(count);
  random_bytes(std::span<std::uint8_t>(out));
  return out;
}

}  // namespace yyc3::security
