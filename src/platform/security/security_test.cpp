#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/security/chunk_cipher.hpp"
#include "platform/security/field_cipher.hpp"
#include "platform/security/key_provider.hpp"
#include "platform/security/random.hpp"
#include "platform/security/tenant_keys.hpp"
#include "platform/security/token_file.hpp"

using namespace yyc3;
using namespace yyc3::security;
namespace fs = std::filesystem;

namespace {

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (fs::temp_directory_path() / "yyc3-security-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() { fs::remove_all(path_); }
  [[nodiscard]] fs::path operator/(const char* name) const { return path_ / name; }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void write(const fs::path& path, std::string_view text, unsigned mode = 0600) {
  std::ofstream(path, std::ios::binary) << text;
  REQUIRE(::chmod(path.c_str(), mode) == 0);
}

bool says(const Error& error, std::string_view words) {
  return error.detail.find(words) != std::string::npos;
}

unsigned mode_of(const fs::path& path) {
  struct stat info{};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

const KeyText& master() {
  static const KeyText key = *KeyText::parse(std::string(64, 'a'));
  return key;
}

}  // namespace

TEST_CASE("known answers: HKDF (RFC 5869 shape), HMAC (RFC 4231) and SHA-256") {
  const Key256 zero = *Key256::from(Bytes(32, 0));
  // Python: hmac.new(hmac.new(b'\0'*32, b'\0'*32, 'sha256').digest(), b'x\1', 'sha256')
  CHECK(to_hex(zero.derive("x").bytes()) ==
        "37b8c973bded0783b649c2129de3a70e45466f037ca585c101f4869c09d51dee");
  CHECK(to_hex(hmac_sha256(zero, as_bytes("data"))) ==
        "e528c4d99e6177f5841f712a143b90843299a4aa181a06501422d9ca862bd2a5");
  CHECK(sha256_hex(as_bytes("abc")) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(zero.derive("x").fingerprint() != zero.derive("y").fingerprint());
  CHECK(zero.fingerprint().size() == 16);
}

TEST_CASE("known answer: AES-256-GCM opens a vector made by another program (NIST test case 14)") {
  const Key256 key = *Key256::from(Bytes(32, 0));
  Bytes sealed(12, 0);
  for (const char* part :
       {"cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"}) {
    const Bytes bytes = *from_hex(part);
    sealed.insert(sealed.end(), bytes.begin(), bytes.end());
  }
  const Result<Bytes> plain = open(key, {}, sealed);
  REQUIRE(plain);
  CHECK(*plain == Bytes(16, 0));
}

TEST_CASE("nonces do not repeat") {
  std::set<Bytes> seen;
  const Key256 key = Key256::make();
  for (int i = 0; i < 20'000; ++i) {
    const Bytes sealed = seal(key, {}, {});
    seen.insert(Bytes(sealed.begin(), sealed.begin() + 12));
  }
  CHECK(seen.size() == 20'000);
  CHECK(random_bytes(32) != random_bytes(32));
}

TEST_CASE("a key file is made once, mode 0600, and opens again") {
  const TempFolder folder;
  const fs::path path = folder / "master.key";
  const Result<KeyFile> made = KeyFile::open_or_create(path, false);
  REQUIRE(made);
  CHECK(mode_of(path) == 0600);
  CHECK(fs::file_size(path) == 32);
  const Result<KeyFile> again = KeyFile::open_or_create(path, true);
  REQUIRE(again);
  CHECK(again->id() == made->id());
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);  // nothing left aside
}

TEST_CASE("a key file that is gone is never replaced under a store with keys") {
  const TempFolder folder;
  const Result<KeyFile> gone = KeyFile::open_or_create(folder / "master.key", true);
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == ErrorCode::kNotFound);
  CHECK(says(gone.error(), "is gone: restore it from backup"));
  CHECK_FALSE(fs::exists(folder / "master.key"));
}

TEST_CASE("a key file that is wrong is refused with what to do") {
  const TempFolder folder;
  const fs::path path = folder / "master.key";
  for (const unsigned mode : {0640U, 0604U, 0620U, 0666U}) {
    write(path, std::string(32, 'k'), mode);
    const Result<KeyFile> open = KeyFile::open_or_create(path, false);
    REQUIRE_FALSE(open);
    CHECK(open.error().code == ErrorCode::kDenied);
    CHECK(says(open.error(), "chmod 600"));
  }
  for (const std::size_t size : {0U, 31U, 33U, 5000U}) {
    write(path, std::string(size, 'k'));
    const Result<KeyFile> open = KeyFile::open_or_create(path, true);
    REQUIRE_FALSE(open);
    CHECK(open.error().code == ErrorCode::kInvalid);
    CHECK(says(open.error(), "32 bytes"));
  }
  write(folder / "real", std::string(32, 'k'));
  fs::remove(path);
  fs::create_symlink(folder / "real", path);
  CHECK(KeyFile::open_or_create(path, false).error().code == ErrorCode::kDenied);
  CHECK(KeyFile::open_or_create(folder.path(), false).error().code == ErrorCode::kDenied);
  CHECK(KeyFile::open_or_create(folder / "none/master.key", false).error().code ==
        ErrorCode::kUnavailable);
  CHECK_FALSE(KeyText::parse("abcd"));
  CHECK_FALSE(KeyText::parse(std::string(64, 'g')));
}

TEST_CASE("a data key opens under its own master, tenant and version only") {
  TenantKeys keys(master());
  const WrappedKey row = keys.wrap_new("default");
  CHECK(row.version == 1);
  CHECK_FALSE(keys.current("default"));  // not used before it is stored
  REQUIRE(keys.load(row));
  CHECK(keys.current("default")->version == 1);

  WrappedKey moved = row;
  moved.tenant = "other";
  CHECK(keys.load(moved).error().code == ErrorCode::kDenied);
  moved = row;
  moved.version = 2;
  CHECK(keys.load(moved).error().code == ErrorCode::kDenied);
  moved = row;
  moved.wrapped[20] ^= 1;
  CHECK(keys.load(moved).error().code == ErrorCode::kDenied);

  const KeyText other = *KeyText::parse(std::string(64, 'b'));
  TenantKeys elsewhere(other);
  const Result<void> wrong = elsewhere.load(row);
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code == ErrorCode::kDenied);
  CHECK(says(wrong.error(), master().id()));
  CHECK(says(wrong.error(), other.id()));
}

TEST_CASE(
    "a field survives rotation and keeps its blind index; moved or changed it does not open") {
  TenantKeys keys(master());
  const FieldCipher cipher(keys);
  const FieldPlace place{"default", "calls", "target", "id-1"};
  CHECK(cipher.encrypt(place, "x").error().code == ErrorCode::kNotFound);
  REQUIRE(keys.load(keys.wrap_new("default")));
  const Bytes envelope = *cipher.encrypt(place, "+8613800138000");
  CHECK(as_text(envelope).find("138") == std::string_view::npos);
  const std::string index = *cipher.blind_index("default", "target", "+8613800138000");

  REQUIRE(keys.load(keys.wrap_new("default")));
  const Bytes newer = *cipher.encrypt(place, "+8613800138000");
  CHECK(read_u32(envelope, 1) == 1);
  CHECK(read_u32(newer, 1) == 2);
  CHECK(*cipher.decrypt(place, envelope) == "+8613800138000");
  CHECK(*cipher.decrypt(place, newer) == "+8613800138000");
  CHECK(*cipher.blind_index("default", "target", "+8613800138000") == index);
  CHECK(*cipher.blind_index("default", "other", "+8613800138000") != index);
  CHECK(*cipher.blind_index("default", "target", "+8613800138001") != index);

  for (const FieldPlace& other : {FieldPlace{"default", "calls", "target", "id-2"},
                                  {"default", "calls", "trunk", "id-1"},
                                  {"default", "callst", "arget", "id-1"}})
    CHECK(cipher.decrypt(other, envelope).error().code == ErrorCode::kDenied);
  CHECK(cipher.decrypt({"nobody", "calls", "target", "id-1"}, envelope).error().code ==
        ErrorCode::kNotFound);
  CHECK(cipher.decrypt(place, as_bytes("plain text")).error().code == ErrorCode::kInvalid);
}

TEST_CASE("chunks cannot be swapped, repeated, taken elsewhere or cut off") {
  TenantKeys keys(master());
  REQUIRE(keys.load(keys.wrap_new("default")));
  const RecordingKey made = *make_recording_key(keys, "default", "rec-1");
  const ChunkCipher cipher(*open_recording_key(keys, "default", "rec-1", made.wrapped), "rec-1");
  const Bytes first = cipher.seal(0, false, as_bytes("one"));
  const Bytes end = cipher.seal(1, true, as_bytes("two"));
  CHECK(as_text(*cipher.open(0, false, first)) == "one");
  CHECK(as_text(*cipher.open(1, true, end)) == "two");
  CHECK_FALSE(cipher.open(1, false, first));  // swapped
  CHECK_FALSE(cipher.open(0, true, first));   // cut off behind it
  CHECK_FALSE(cipher.open(1, false, end));    // something added behind it
  CHECK_FALSE(ChunkCipher(made.key, "rec-2").open(0, false, first));
  CHECK(open_recording_key(keys, "default", "rec-2", made.wrapped).error().code ==
        ErrorCode::kDenied);
  CHECK(open_recording_key(keys, "default", "rec-1", {}).error().code == ErrorCode::kInvalid);
  REQUIRE(keys.load(keys.wrap_new("default")));  // rotation leaves old recordings readable
  CHECK(open_recording_key(keys, "default", "rec-1", made.wrapped));
}

TEST_CASE("the token is made once, is long, and is compared whole") {
  const TempFolder folder;
  const Result<TokenFile> made = TokenFile::open_or_create(folder / "token");
  REQUIRE(made);
  CHECK(made->text().size() == 43);
  CHECK(mode_of(folder / "token") == 0600);
  CHECK(TokenFile::open_or_create(folder / "token")->text() == made->text());
  CHECK(made->matches(made->text()));
  CHECK_FALSE(made->matches(""));
  CHECK_FALSE(made->matches(made->text().substr(1)));
  CHECK_FALSE(made->matches(made->text() + "x"));
  CHECK(made->authorizes("Bearer " + made->text()));
  CHECK(made->authorizes("bearer " + made->text()));
  CHECK_FALSE(made->authorizes(made->text()));
  CHECK_FALSE(made->authorizes("Bearer "));
  CHECK_FALSE(made->authorizes("Basic " + made->text()));

  write(folder / "own", std::string(32, 'x') + "\r\n");
  CHECK(TokenFile::open_or_create(folder / "own")->text() == std::string(32, 'x'));
  for (const std::string& bad : {std::string(31, 'x'), std::string(513, 'x'), std::string(900, 'x'),
                                 std::string(40, ' '), std::string()}) {
    write(folder / "bad", bad);
    const Result<TokenFile> refused = TokenFile::open_or_create(folder / "bad");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kInvalid);
    CHECK(says(refused.error(), "32 to 512"));
  }
  write(folder / "open", std::string(43, 'x'), 0644);
  CHECK(TokenFile::open_or_create(folder / "open").error().code == ErrorCode::kDenied);
}
