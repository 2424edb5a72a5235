#include "language/language_server.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "language/chat_body.hpp"
#include "language/generator.hpp"
#include "platform/net/event_loop.hpp"
#include "platform/net/http_server.hpp"
#include "platform/net/mailbox.hpp"

namespace yyc3::language {
namespace {

constexpr std::int64_t kDeadlineMs = 30'000;
constexpr std::int64_t kDeadlineMsMax = 300'000;
constexpr std::size_t kBodyBytesMax = 256 * 1024;
constexpr std::size_t kPiecesMax = 8192;  ///< more than an answer can have

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return 400;
    case ErrorCode::kBusy:
      return 429;
    case ErrorCode::kTimeout:
      return 504;
    default:
      return 503;
  }
}

net::HttpResponse problem(const Error& error) {
  return net::HttpResponse::problem(status_of(error.code), "no answer", error.detail);
}

Result<Milliseconds> deadline_of(const net::HttpRequest& request) {
  const std::string_view given = request.headers.get("X-Deadline-Ms").value_or("");
  if (given.empty()) return Milliseconds{kDeadlineMs};
  std::int64_t ms = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), ms);
  if (error != std::errc() || end != given.data() + given.size() || ms < 1 || ms > kDeadlineMsMax)
    return fail(ErrorCode::kInvalid, "X-Deadline-Ms: 1 to 300000");
  return Milliseconds{ms};
}

/// An answer on its way: made on the decode thread, told on the home loop, read by the connection.
/// When the connection lets go of it, it is cancelled.
struct Answer {
  Answer(Generator& g, const net::Executor& executor)
      : generator(g), pieces(executor, kPiecesMax) {}
  ~Answer() {
    if (!done) generator.cancel(number);
  }
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  Generator& generator;
  Generator::Number number = 0;
  net::Mailbox<std::string> pieces;  ///< closed at the end
  std::optional<Result<Generated>> done;
};

/// … as events.
struct Stream {
  std::shared_ptr<Answer> answer;
  ChatFrame frame;
  bool usage = false;
  std::optional<std::string> first;  ///< the first piece, until it was sent
  bool ended = false;
};

net::Task<Result<std::string>> next_event(std::shared_ptr<Stream> stream) {
  if (stream->ended) co_return std::string();
  std::optional<std::string> piece = std::exchange(stream->first, std::nullopt);
  if (!piece) piece = co_await stream->answer->pieces.pop();
  if (piece) co_return chunk(stream->frame, *piece, nullptr);
  stream->ended = true;
  const Result<Generated>& made = *stream->answer->done;
  if (!made) co_return error_chunk(made.error());
  std::string out = chunk(stream->frame, {}, made->cut ? "length" : "stop");
  if (stream->usage) out += usage_chunk(stream->frame, *made);
  out += "data: [DONE]\n\n";
  co_return out;
}

}  // namespace

struct LanguageServer::Impl {
  Impl(telemetry::Log& l, const Clock& c)
      : log(l), clock(c), home(std::make_unique<net::EventLoop>("language", l)) {}
  Result<void> load(const LanguageConfig& config);
  Result<void> listen(const LanguageConfig& config);
  Result<std::shared_ptr<Answer>> ask(const ChatBody& body, Milliseconds limit);
  Result<GenerationTask> task_of(const ChatBody& body) const;
  ChatFrame frame() const;
  net::Task<net::HttpResponse> chat(net::HttpRequest request);
  net::Task<net::HttpResponse> whole(std::shared_ptr<Answer> answer);
  net::Task<net::HttpResponse> streamed(ChatBody body, std::shared_ptr<Answer> answer);
  net::Task<net::HttpResponse> handle(net::HttpRequest request);

  telemetry::Log& log;
  const Clock& clock;
  std::string name;  ///< of the model
  std::unique_ptr<net::EventLoop> home;
  std::unique_ptr<LlamaModel> model;
  std::unique_ptr<Generator> generator;
  std::unique_ptr<net::HttpServer> server;
};

Result<void> LanguageServer::Impl::load(const LanguageConfig& config) {
  auto loaded = LlamaModel::load(config.model);
  if (!loaded) return tl::unexpected<Error>(loaded.error());
  model = std::move(*loaded);
  name = config.model.file.stem().string();
  generator = std::make_unique<Generator>(*model, config.model.sequences, *home, log, clock);
  return {};
}

Result<GenerationTask> LanguageServer::Impl::task_of(const ChatBody& body) const {
  auto prompt = model->prompt_of(body.messages);
  if (!prompt) return tl::unexpected<Error>(prompt.error());
  GenerationTask task;
  task.prompt = std::move(*prompt);
  task.owner = body.conversation;
  task.tokens_max = body.tokens_max;
  task.sampling = {body.temperature, body.top_p, body.seed, body.grammar};
  if (!body.choice) return task;
  const std::vector<Token> lead = model->tokens_of(before_choice(*body.choice));
  task.prompt.insert(task.prompt.end(), lead.begin(), lead.end());
  for (std::size_t i = 0; i < body.choice->choices.size(); ++i)
    task.choices.push_back(model->tokens_of(choice_and_end(*body.choice, i)));
  return task;
}

Result<std::shared_ptr<Answer>> LanguageServer::Impl::ask(const ChatBody& body,
                                                          Milliseconds limit) {
  auto task = task_of(body);
  if (!task) return tl::unexpected<Error>(task.error());
  auto answer = std::make_shared<Answer>(*generator, home->executor());
  // Weak: the connection alone holds it, and letting go of it is what cancels.
  const std::weak_ptr<Answer> told = answer;
  task->deadline = clock.now() + limit;
  task->on_text = [told](std::string text) {
    if (const auto to = told.lock()) to->pieces.push(std::move(text));
  };
  task->on_done = [told, choice = body.choice](Result<Generated> made) {
    const auto to = told.lock();
    if (!to) return;
    if (made && made->choice && choice) to->pieces.push(choice_text(*choice, *made->choice));
    to->done = std::move(made);
    to->pieces.close();
  };
  const auto number = generator->add(std::move(*task));
  if (!number) {
    answer->done = fail(ErrorCode::kBusy, "");
    return tl::unexpected<Error>(number.error());
  }
  answer->number = *number;
  return answer;
}

ChatFrame LanguageServer::Impl::frame() const {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(clock.utc().time_since_epoch());
  return {"chatcmpl-" + CallId::make(clock).str(), name, seconds.count()};
}

net::Task<net::HttpResponse> LanguageServer::Impl::whole(std::shared_ptr<Answer> answer) {
  std::string text;
  while (true) {
    const std::optional<std::string> piece = co_await answer->pieces.pop();
    if (!piece) break;
    text += *piece;
  }
  const Result<Generated>& made = *answer->done;
  if (!made) co_return problem(made.error());
  co_return net::HttpResponse(200, completion(frame(), text, *made));
}

/// The status waits for the first piece: what fails at once has a status of its own.
net::Task<net::HttpResponse> LanguageServer::Impl::streamed(ChatBody body,
                                                            std::shared_ptr<Answer> answer) {
  std::optional<std::string> first = co_await answer->pieces.pop();
  if (!first && !*answer->done) co_return problem(answer->done->error());
  const auto stream = std::make_shared<Stream>(
      Stream{std::move(answer), frame(), body.usage_in_stream, std::move(first), false});
  net::BodySource source = [stream] { return next_event(stream); };
  co_return net::HttpResponse::stream(200, "text/event-stream", std::move(source));
}

net::Task<net::HttpResponse> LanguageServer::Impl::chat(net::HttpRequest request) {
  auto body = read_chat(request.body);
  if (!body) co_return problem(body.error());
  const auto limit = deadline_of(request);
  if (!limit) co_return problem(limit.error());
  auto answer = ask(*body, *limit);
  if (!answer) co_return problem(answer.error());
  const bool stream = body->stream;
  net::Task<net::HttpResponse> out =
      stream ? streamed(std::move(*body), std::move(*answer)) : whole(std::move(*answer));
  co_return co_await std::move(out);
}

net::Task<net::HttpResponse> LanguageServer::Impl::handle(net::HttpRequest request) {
  if (request.method == "GET" && request.path == "/healthz") {
    const bool stuck = generator->stuck();
    const json::object body{{"status", stuck ? "stuck" : "ok"},
                            {"role", "language"},
                            {"waiting", generator->waiting()}};
    co_return net::HttpResponse(stuck ? 503 : 200, json::serialize(body));
  }
  if (request.method == "GET" && request.path == "/v1/models") {
    const json::object one{{"id", name}, {"object", "model"}, {"context", model->context()}};
    const json::object body{{"object", "list"}, {"data", json::array{one}}};
    co_return net::HttpResponse(200, json::serialize(body));
  }
  if (request.method == "POST" && request.path == "/v1/chat/completions") {
    net::Task<net::HttpResponse> answer = chat(std::move(request));
    co_return co_await std::move(answer);
  }
  co_return net::HttpResponse::problem(404, "not found", "try POST /v1/chat/completions");
}

Result<void> LanguageServer::Impl::listen(const LanguageConfig& config) {
  net::HttpServerOptions options;
  options.unix_path = config.socket;
  options.body_bytes_max = kBodyBytesMax;
  const auto handler = [this](net::HttpRequest request) { return handle(std::move(request)); };
  auto started = net::HttpServer::start(home->executor(), options, handler, log);
  if (!started) return tl::unexpected<Error>(started.error());
  server = std::move(*started);
  return {};
}

Result<std::unique_ptr<LanguageServer>> LanguageServer::start(
    const LanguageConfig& config, telemetry::Log& log, const Clock& clock,
    const std::function<Result<void>()>& prepared) {
  if (config.model.threads < 1 || config.model.threads > 64)
    return fail(ErrorCode::kInvalid, "--threads is not 1 to 64");
  auto impl = std::make_unique<Impl>(log, clock);
  if (auto loaded = impl->load(config); !loaded) return tl::unexpected<Error>(loaded.error());
  if (prepared)
    if (auto ready = prepared(); !ready) return tl::unexpected<Error>(ready.error());
  if (auto up = impl->listen(config); !up) return tl::unexpected<Error>(up.error());
  return std::unique_ptr<LanguageServer>(new LanguageServer(std::move(impl)));
}

LanguageServer::LanguageServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LanguageServer::~LanguageServer() {
  impl_->server.reset();  // while its loop lives
  impl_->home->stop();
  impl_->home->join();
  impl_->generator->stop();
  impl_->home.reset();  // with the answers on their way, which cancel themselves
}
void LanguageServer::wait() { impl_->home->join(); }

}  // namespace yyc3::language
