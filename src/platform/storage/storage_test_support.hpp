#pragma once

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <sys/types.h>
#include <vector>

#include "platform/storage/database.hpp"

/// Helpers of the storage contract tests: real servers, real files, all in a folder of their own.
namespace yyc3::storage::testing {

class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A PostgreSQL of our own on a Unix socket in a private folder. Throws when it cannot start: a
/// machine without PostgreSQL fails these tests, it does not skip them.
class PostgresServer {
 public:
  PostgresServer();
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  void start();
  void stop();
  [[nodiscard]] std::string connection(const std::string& database) const;
  std::string make_database();  ///< a new empty one; gives its connection string

  static PostgresServer& shared();  ///< started by the first test that needs it

 private:
  TempFolder folder_;
  std::string programs_;
  pid_t pid_ = -1;
  int databases_ = 0;
};

/// A fresh store of one kind.
struct Store {
  explicit Store(Dialect dialect, Limits limits = {}, std::int64_t max_pages = 0);
  Database* operator->() const { return database.get(); }
  /// What a second program on the same store gets.
  [[nodiscard]] Result<std::unique_ptr<Database>> open_again() const;
  TempFolder folder;
  std::string connection;  ///< PostgreSQL
  std::unique_ptr<Database> database;
};

const std::vector<Dialect>& both();
const char* name_of(Dialect dialect);

/// Keeps the database threads busy until released.
class Gate {
 public:
  Job job();                 ///< one that waits for `open`
  void wait_entered(int n);  ///< until n such jobs run
  void open();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int entered_ = 0;
  bool open_ = false;
};

/// Counts callbacks; `wait` is bounded by the test's own time limit only.
class Collector {
 public:
  Done done(std::string name = "");
  void wait(std::size_t count);
  [[nodiscard]] std::vector<std::pair<std::string, Result<void>>> results();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<std::string, Result<void>>> results_;
};

Result<void> run(Database& database, std::string_view sql, std::vector<Value> args = {});
Result<Rows> ask(Database& database, std::string_view sql, std::vector<Value> args = {});

}  // namespace yyc3::storage::testing
