#include <array>
#include <chrono>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "platform/storage/postgres_database.hpp"
#include "platform/storage/sqlite_database.hpp"
#include "platform/storage/storage_test_support.hpp"

namespace yyc3::storage::testing {

namespace fs = std::filesystem;

namespace {

const SystemClock& clock() {
  static const SystemClock clock;
  return clock;
}

std::string find_programs() {
  std::vector<fs::path> found;
  if (fs::exists("/usr/lib/postgresql"))
    for (const auto& version : fs::directory_iterator("/usr/lib/postgresql"))
      if (fs::exists(version.path() / "bin/initdb")) found.push_back(version.path() / "bin");
  if (found.empty()) throw std::runtime_error("PostgreSQL is not installed: scripts/setup tests");
  std::sort(found.begin(), found.end());
  return found.back().string() + "/";
}

/// Starts a program; as user postgres when we are root, which PostgreSQL refuses to run as.
pid_t start_program(const std::vector<std::string>& words, const std::string& log) {
  std::vector<char*> args;
  for (const auto& word : words) args.push_back(const_cast<char*>(word.c_str()));
  args.push_back(nullptr);
  const passwd* user = ::geteuid() == 0 ? ::getpwnam("postgres") : nullptr;
  if (::geteuid() == 0 && user == nullptr) throw std::runtime_error("no user postgres");
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  if (user != nullptr &&
      (::setgroups(0, nullptr) != 0 || ::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0))
    ::_exit(126);
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
  if (::freopen(log.c_str(), "a", stdout) == nullptr) ::_exit(125);
  ::dup2(STDOUT_FILENO, STDERR_FILENO);
  ::setpgid(0, 0);
  ::execv(args[0], args.data());
  ::_exit(127);
}

void wait_for_exit(pid_t pid) {
  for (int i = 0; i < 600; ++i) {
    if (::waitpid(pid, nullptr, WNOHANG) == pid) return;
    std::this_thread::sleep_for(Milliseconds{50});
  }
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

}  // namespace

TempFolder::TempFolder() {
  std::string pattern = (fs::temp_directory_path() / "yyc3-store-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = pattern;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

PostgresServer::PostgresServer() : programs_(find_programs()) {
  const passwd* user = ::getpwnam("postgres");
  if (::geteuid() == 0 && user != nullptr &&
      ::chown(folder_.path().c_str(), user->pw_uid, user->pw_gid) != 0)
    throw std::runtime_error("chown failed");
  const std::string folder = folder_.path().string();
  const pid_t made = start_program({programs_ + "initdb", "-D", folder + "/data", "-A", "trust",
                                    "-U", "yyc3", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"},
                                   folder + "/log");
  int status = 0;
  ::waitpid(made, &status, 0);
  if (status != 0) throw std::runtime_error("initdb failed");
  start();
}

PostgresServer::~PostgresServer() { stop(); }

void PostgresServer::start() {
  const std::string folder = folder_.path().string();
  pid_ = start_program({programs_ + "postgres", "-D", folder + "/data", "-k", folder, "-c",
                        "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=40"},
                       folder + "/log");
  for (int i = 0; i < 600; ++i) {
    if (PQping(connection("postgres").c_str()) == PQPING_OK) return;
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) break;
    std::this_thread::sleep_for(Milliseconds{50});
  }
  throw std::runtime_error("PostgreSQL did not start");
}

void PostgresServer::stop() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGINT);  // fast shutdown
  wait_for_exit(pid_);
  pid_ = -1;
}

std::string PostgresServer::connection(const std::string& database) const {
  return "host=" + folder_.path().string() + " user=yyc3 dbname=" + database;
}

std::string PostgresServer::make_database() {
  const std::string name = "t" + std::to_string(++databases_);
  PGconn* admin = PQconnectdb(connection("postgres").c_str());
  PGresult* made = PQexec(admin, ("CREATE DATABASE " + name).c_str());
  const bool good = PQresultStatus(made) == PGRES_COMMAND_OK;
  const std::string why = PQerrorMessage(admin);
  PQclear(made);
  PQfinish(admin);
  if (!good) throw std::runtime_error("CREATE DATABASE: " + why);
  return connection(name);
}

PostgresServer& PostgresServer::shared() {
  static PostgresServer server;
  return server;
}

Store::Store(Dialect dialect, Limits limits, std::int64_t max_pages) {
  if (dialect == Dialect::kPostgres) connection = PostgresServer::shared().make_database();
  Result<std::unique_ptr<Database>> opened =
      dialect == Dialect::kSqlite
          ? open_sqlite({folder.path() / "store.db", limits, max_pages}, clock())
          : open_postgres({connection, limits}, clock());
  if (!opened) throw std::runtime_error(opened.error().detail);
  database = std::move(*opened);
}

Result<std::unique_ptr<Database>> Store::open_again() const {
  return connection.empty() ? open_sqlite({folder.path() / "store.db", {}, 0}, clock())
                            : open_postgres({connection, {}}, clock());
}

const std::vector<Dialect>& both() {
  static const std::vector<Dialect> all{Dialect::kSqlite, Dialect::kPostgres};
  return all;
}

const char* name_of(Dialect dialect) {
  return dialect == Dialect::kSqlite ? "SQLite" : "PostgreSQL";
}

Job Gate::job() {
  return [this](Connection&) -> Result<void> {
    std::unique_lock lock(mutex_);
    ++entered_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    return {};
  };
}

void Gate::wait_entered(int n) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return entered_ >= n; });
}

void Gate::open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

Done Collector::done(std::string name) {
  return [this, name = std::move(name)](Result<void> result) {
    const std::lock_guard lock(mutex_);
    results_.emplace_back(name, std::move(result));
    changed_.notify_all();
  };
}

void Collector::wait(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return results_.size() >= count; });
}

std::vector<std::pair<std::string, Result<void>>> Collector::results() {
  const std::lock_guard lock(mutex_);
  return results_;
}

Result<void> run(Database& database, std::string_view sql, std::vector<Value> args) {
  return database.write_blocking(Lane::kApi, [&](Connection& db) -> Result<void> {
    const Result<std::int64_t> done = db.exec(sql, std::span<const Value>(args));
    if (!done) return tl::unexpected<Error>(done.error());
    return {};
  });
}

Result<Rows> ask(Database& database, std::string_view sql, std::vector<Value> args) {
  return database.read_blocking(
      Lane::kApi, [&](Connection& db) { return db.query(sql, std::span<const Value>(args)); });
}

}  // namespace yyc3::storage::testing
