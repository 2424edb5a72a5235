#include <doctest/doctest.h>
#include <rapidcheck.h>
#include <string>

#include "platform/security/chunk_cipher.hpp"
#include "platform/security/key.hpp"

using namespace yyc3;
using namespace yyc3::security;

TEST_CASE("whatever is sealed opens again, and nothing that was changed in one bit does") {
  const Key256 key = Key256::make();
  CHECK(rc::check("round trip", [&](const Bytes& plain, const Bytes& aad) {
    const Result<Bytes> opened = open(key, aad, seal(key, aad, plain));
    RC_ASSERT(opened.has_value());
    RC_ASSERT(*opened == plain);
  }));
  CHECK(rc::check("one bit", [&](const Bytes& plain, const Bytes& aad) {
    Bytes sealed = seal(key, aad, plain);
    const auto bit = *rc::gen::inRange<std::size_t>(0, sealed.size() * 8);
    sealed[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    RC_ASSERT(open(key, aad, sealed).error().code == ErrorCode::kDenied);
  }));
  CHECK(rc::check("cut short", [&](const Bytes& plain) {
    Bytes sealed = seal(key, {}, plain);
    sealed.resize(*rc::gen::inRange<std::size_t>(0, sealed.size()));
    RC_ASSERT_FALSE(open(key, {}, sealed).has_value());
  }));
}

TEST_CASE("a chunk opens at its own place only") {
  const ChunkCipher cipher(Key256::make(), "rec");
  CHECK(rc::check("place", [&](std::uint64_t number, std::uint64_t other, bool last, bool end) {
    const Bytes sealed = cipher.seal(number, last, as_bytes("audio"));
    RC_ASSERT(cipher.open(other, end, sealed).has_value() == (number == other && last == end));
    RC_ASSERT(cipher.open(number, last, sealed).has_value());
  }));
}
