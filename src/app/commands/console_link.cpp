#include <cstdio>
#include <fstream>
#include <future>

#include "app/commands/commands.hpp"
#include "app/commands/load.hpp"
#include "base/json.hpp"
#include "platform/net/event_loop.hpp"
#include "platform/net/http_client.hpp"

namespace yyc3::app {

namespace {
net::Task<void> ask(net::HttpClient& client, net::ClientRequest request,
                    std::promise<Result<net::ClientResponse>>& answer) {
  answer.set_value(co_await client.send(std::move(request)));
}
}  // namespace

int console_link(const std::filesystem::path& path) {
  const auto config = load_or_tell(path);
  if (!config) return kExitConfig;
  std::ifstream in(config->data_dir() / "api.token");
  std::string token;
  if (!std::getline(in, token)) {
    std::fprintf(stderr,
                 "aicall: no token in %s: has `aicall serve` run with this configuration?\n",
                 config->data_dir().c_str());
    return kExitUnavailable;
  }
  SystemClock clock;
  telemetry::Log log(clock);
  net::EventLoop loop("console", log);
  const bool tls = !config->server.certificate_file.empty();
  auto endpoint =
      net::Endpoint::tcp(config->server.listen, static_cast<std::uint16_t>(config->server.port));
  endpoint.tls = tls;
  net::HttpClient client(loop.executor(), endpoint);
  net::ClientRequest request;
  request.method = "POST";
  request.target = "/api/v1/login-codes";
  request.headers.set("Authorization", "Bearer " + token);
  std::promise<Result<net::ClientResponse>> promise;
  auto future = promise.get_future();
  loop.spawn(ask(client, std::move(request), promise), "console link");
  const auto answer = future.get();
  const auto body =
      answer ? parse_json(answer->body) : Result<json::value>(fail(ErrorCode::kUnavailable, ""));
  const auto link = body ? string_field(*body, "path") : std::nullopt;
  loop.stop();
  loop.join();
  if (!link) {
    std::fprintf(stderr, "aicall: no running `aicall serve` answers on %s:%lld\n",
                 config->server.listen.c_str(), static_cast<long long>(config->server.port));
    return kExitUnavailable;
  }
  std::printf("%s://%s:%lld%s\n", tls ? "https" : "http", config->server.listen.c_str(),
              static_cast<long long>(config->server.port), link->c_str());
  return kExitGood;
}

}  // namespace yyc3::app
