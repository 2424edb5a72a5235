#include "app/system.hpp"

#include <doctest/doctest.h>
#include <filesystem>
#include <string>
#include <unistd.h>

#include "platform/storage/lock_file.hpp"

using namespace yyc3;
namespace fs = std::filesystem;

TEST_CASE("a second system on a data folder is refused before anything is touched") {
  std::string folder = (fs::temp_directory_path() / "yyc3-system-XXXXXX").string();
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  {
    const auto first = storage::LockFile::take(fs::path(folder) / "aicall.lock");
    REQUIRE(first);
    app::Config config;
    config.server.data_dir = folder;
    config.log.file = folder + "/aicall.log";
    for (const char* url : {"", "postgresql://nobody@127.0.0.1:1/none"}) {
      CAPTURE(url);
      config.storage.url = url;
      const auto second = app::System::start(config, {.web = false, .render_ahead = false});
      REQUIRE_FALSE(second);
      CHECK(second.error().code == ErrorCode::kBusy);
      const std::string& text = second.error().detail;
      CHECK(text.find("in use by process " + std::to_string(::getpid())) != std::string::npos);
      CHECK(text.find("server.data_dir") != std::string::npos);
    }
    CHECK(std::distance(fs::directory_iterator(folder), fs::directory_iterator()) == 1);
  }
  fs::remove_all(folder);
}
