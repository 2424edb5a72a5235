#include "platform/security/web_guard.hpp"

#include <doctest/doctest.h>

using namespace yyc3::security;

namespace {
const WebGuard& loopback() {
  static const WebGuard guard({{"127.0.0.1", 8080, false}});
  return guard;
}
bool allows(const WebGuard& guard, std::optional<std::string_view> host,
            std::optional<std::string_view> origin = std::nullopt) {
  const GuardVerdict verdict = guard.check(host, origin);
  CHECK(verdict.allowed == verdict.reason.empty());
  return verdict.allowed;
}
}  // namespace

TEST_CASE("a Host that is ours is let in, by any of its loopback names") {
  for (const char* host :
       {"127.0.0.1:8080", "localhost:8080", "LOCALHOST:8080", "[::1]:8080", "localhost.:8080"})
    CHECK_MESSAGE(allows(loopback(), host), host);
}

TEST_CASE("any other Host is refused: DNS rebinding") {
  for (const char* host : {"evil.example:8080", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:8081",
                           "127.0.0.1.evil.example:8080", "localhost", "", ":8080", "127.0.0.1:",
                           "127.0.0.1:8080:1", "127.0.0.1:080 80", "[::1:8080", "[::1]x:8080",
                           "user@127.0.0.1:8080", "127.0.0.1:8080/x", "127.0.0.1:+8080", ".:8080"})
    CHECK_MESSAGE(!allows(loopback(), host), host);
  CHECK_FALSE(allows(loopback(), std::nullopt));
}

TEST_CASE("another site's page is refused, a program without Origin is let in") {
  const char* host = "127.0.0.1:8080";
  CHECK(allows(loopback(), host));
  CHECK(allows(loopback(), host, "http://127.0.0.1:8080"));
  CHECK(allows(loopback(), host, "http://localhost:8080"));
  for (const char* origin :
       {"null", "", "http://evil.example", "http://evil.example:8080", "http://127.0.0.1",
        "http://127.0.0.1:3000", "ftp://127.0.0.1:8080", "http://127.0.0.1:8080.evil.example",
        "http://127.0.0.1:8080@evil.example", "http://127.0.0.1:8080/", "127.0.0.1:8080"})
    CHECK_MESSAGE(!allows(loopback(), host, origin), origin);
}

TEST_CASE("addresses and names of the configuration, behind a proxy too") {
  const WebGuard guard({{"192.0.2.7", 8443, true}, {"::1", 8080, false}}, {"calls.example.org"});
  CHECK(allows(guard, "192.0.2.7:8443", "https://192.0.2.7:8443"));
  CHECK_FALSE(allows(guard, "localhost:8443"));
  CHECK(allows(guard, "[::1]:8080"));
  CHECK(allows(guard, "localhost:8080"));
  CHECK(allows(guard, "calls.example.org", "https://calls.example.org"));
  CHECK(allows(guard, "calls.example.org:8443"));
  CHECK_FALSE(allows(guard, "calls.example.org:9000"));
  CHECK_FALSE(allows(guard, "other.example.org"));
}

TEST_CASE("what counts as loopback") {
  for (const char* host : {"127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost", "LocalHost"})
    CHECK_MESSAGE(is_loopback(host), host);
  for (const char* host :
       {"128.0.0.1", "0.0.0.0", "::", "127.evil.example", "127.0.0", "127.0.0.1.2", "127...1", ""})
    CHECK_MESSAGE(!is_loopback(host), host);
}
