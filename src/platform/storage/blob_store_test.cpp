#include "platform/storage/blob_store.hpp"

#include <doctest/doctest.h>
#include <fstream>
#include <sys/stat.h>

#include "platform/storage/storage_test_support.hpp"

using namespace yyc3;
using namespace yyc3::storage;
using namespace yyc3::storage::testing;

TEST_CASE("a blob is seen only when committed, and read in any part") {
  const TempFolder folder;
  const auto blobs = *FolderBlobs::open(folder.path() / "blobs");
  const char* key = "default/recordings/0190-a.bin";
  {
    const auto writer = *blobs->create(key);
    REQUIRE(writer->append(as_bytes("hello ")));
    REQUIRE(writer->append(as_bytes("world")));
    CHECK(blobs->size(key).error().code == ErrorCode::kNotFound);
    REQUIRE(writer->commit());
  }
  CHECK(*blobs->size(key) == 11);
  CHECK(as_text(*blobs->read(key, 0, 100)) == "hello world");
  CHECK(as_text(*blobs->read(key, 6, 3)) == "wor");
  CHECK(as_text(*blobs->read(key, 10, 5)) == "d");
  CHECK(blobs->read(key, 11, 5)->empty());
  CHECK(blobs->read(key, ~std::uint64_t{0}, 5)->empty());
  struct stat info{};
  REQUIRE(::stat((folder.path() / "blobs" / key).c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);

  REQUIRE(blobs->put(key, as_bytes("new")));
  CHECK(as_text(*blobs->read(key, 0, 100)) == "new");
  REQUIRE(blobs->put("default/empty", {}));
  CHECK(*blobs->size("default/empty") == 0);
  REQUIRE(blobs->remove(key));
  REQUIRE(blobs->remove(key));
  CHECK(blobs->read(key, 0, 1).error().code == ErrorCode::kNotFound);
}

TEST_CASE("what is given up, or left by a crash, leaves nothing") {
  const TempFolder folder;
  const auto aside = folder.path() / ".incomplete";
  {
    const auto blobs = *FolderBlobs::open(folder.path());
    const auto writer = *blobs->create("t/x");
    REQUIRE(writer->append(as_bytes("half")));
    CHECK_FALSE(std::filesystem::is_empty(aside));
  }
  CHECK(std::filesystem::is_empty(aside));
  std::ofstream(aside / "crashed") << "half";
  REQUIRE(FolderBlobs::open(folder.path()));
  CHECK(std::filesystem::is_empty(aside));
}

TEST_CASE("a key cannot leave the folder") {
  const TempFolder folder;
  const auto blobs = *FolderBlobs::open(folder.path() / "blobs");
  for (const char* key : {"", "/", "/etc/passwd", "a//b", "a/", "..", "a/../b", ".incomplete/x",
                          "a/.hidden", "a b", "a\\b", "键", "1/2/3/4/5/6/7/8/9"})
    CHECK_MESSAGE(blobs->put(key, as_bytes("x")).error().code == ErrorCode::kInvalid, key);
  CHECK(blobs->put(std::string(129, 'a'), {}).error().code == ErrorCode::kInvalid);
  CHECK(blobs->put("1/2/3/4/5/6/7/8", as_bytes("x")));
  CHECK(blobs->size("1/2").error().code == ErrorCode::kNotFound);  // a folder is no blob
  CHECK(FolderBlobs::open("/proc/none").error().code == ErrorCode::kUnavailable);
}
