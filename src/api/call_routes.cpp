#include "api/call_routes.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <utility>

#include "api/new_call_body.hpp"
#include "api/problem.hpp"

namespace yyc3::api {

namespace {

constexpr std::size_t kPieceBytes = 64 * 1024;

net::HttpResponse not_found() { return problem(404, "no such call"); }

/// A path parameter that is not a UUID names no call.
std::optional<CallId> id_of(const PathParams& params) {
  const auto id = CallId::parse(params.at("id"));
  return id ? std::optional(*id) : std::nullopt;
}

bool is_idempotency_key(std::string_view key) {
  return !key.empty() && key.size() <= 128 &&
         std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

/// limit, cursor and state of GET /api/v1/calls.
call::ListQuery read_list_query(const net::HttpRequest& request, std::vector<FieldError>& errors) {
  call::ListQuery query;
  if (const auto limit = request.param("limit")) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(limit->data(), limit->data() + limit->size(), value);
    const bool whole = error == std::errc{} && end == limit->data() + limit->size();
    if (whole && value >= 1 && value <= 200)
      query.limit = value;
    else
      errors.push_back({"limit", "must be a whole number from 1 to 200"});
  }
  if (const auto cursor = request.param("cursor")) {
    if (const auto id = CallId::parse(*cursor))
      query.before = *id;
    else
      errors.push_back({"cursor", "must be the next_cursor of an earlier page"});
  }
  if (const auto state = request.param("state")) {
    query.state = call::call_state_of(*state);
    if (!query.state) errors.push_back({"state", "no such state"});
  }
  return query;
}

}  // namespace

void CallRoutes::add_to(Router& router) {
  router.add({"POST", "/api/v1/calls", false,
              [this](net::HttpRequest r, PathParams) { return create(std::move(r)); }});
  router.add({"GET", "/api/v1/calls", false,
              [this](net::HttpRequest r, PathParams) { return list(std::move(r)); }});
  router.add({"GET", "/api/v1/calls/{id}", false, [this](net::HttpRequest r, PathParams p) {
                return get(std::move(r), std::move(p));
              }});
  router.add({"DELETE", "/api/v1/calls/{id}", false,
              [this](net::HttpRequest, PathParams p) { return hang_up(std::move(p)); }});
  router.add(
      {"GET", "/api/v1/calls/{id}/recording", false,
       [this](net::HttpRequest r, PathParams p) { return recording(std::move(r), std::move(p)); }});
}

net::Task<net::HttpResponse> CallRoutes::create(net::HttpRequest request) {
  auto body = read_new_call(request.body, flows_);
  if (!body) co_return problem(400, body.error().detail);
  if (const auto key = request.headers.get("Idempotency-Key")) {
    if (is_idempotency_key(*key))
      body->call.idempotency_key = std::string(*key);
    else
      body->errors.push_back({"Idempotency-Key", "must be 1 to 128 printable ASCII characters"});
  }
  if (!body->errors.empty())
    co_return problem(422, "the request has wrong fields", std::move(body->errors));
  call::NewCall wanted = std::move(body->call);
  const auto created = co_await calls_.create(std::move(wanted));
  if (!created) co_return problem(created.error());
  net::HttpResponse response(202, json::serialize(call::to_json(created->call)));
  response.headers.set("Location", fmt::format("/api/v1/calls/{}", created->call.id.str()));
  if (created->repeated) response.headers.set("Idempotency-Replayed", "true");
  co_return response;
}

net::Task<net::HttpResponse> CallRoutes::list(net::HttpRequest request) {
  std::vector<FieldError> errors;
  const call::ListQuery query = read_list_query(request, errors);
  if (!errors.empty()) co_return problem(400, "the query has wrong parameters", std::move(errors));
  const auto page = co_await store_.list(query);
  if (!page) co_return problem(page.error());
  json::array calls;
  for (const auto& call : page->calls) calls.push_back(call::to_json(call));
  const json::object body{
      {"calls", std::move(calls)},
      {"next_cursor",
       page->next_cursor.empty() ? json::value(nullptr) : json::value(page->next_cursor)}};
  co_return net::HttpResponse(200, json::serialize(body));
}

net::Task<net::HttpResponse> CallRoutes::get(net::HttpRequest request, PathParams params) {
  const auto id = id_of(params);
  if (!id) co_return not_found();
  const auto found = co_await store_.find(*id);
  if (!found) co_return problem(found.error());
  if (!*found) co_return not_found();
  const call::CallDetail& detail = **found;
  const std::string etag = fmt::format("\"{}-{}\"", id->str(), detail.call.revision);
  net::HttpResponse response = request.headers.get("If-None-Match") == std::string_view(etag)
                                   ? net::HttpResponse(304)
                                   : net::HttpResponse(200, json::serialize(to_json(detail)));
  response.headers.set("ETag", etag);
  response.headers.set("Cache-Control", "private, no-cache");
  co_return response;
}

net::Task<net::HttpResponse> CallRoutes::hang_up(PathParams params) {
  const auto id = id_of(params);
  if (!id) co_return not_found();
  const auto ended = co_await calls_.hang_up(*id);
  if (!ended) co_return problem(ended.error());
  const auto found = co_await store_.find(*id);
  if (!found) co_return problem(found.error());
  if (!*found) co_return not_found();
  co_return net::HttpResponse(202, json::serialize(to_json((*found)->call)));
}

net::Task<net::HttpResponse> CallRoutes::recording(net::HttpRequest request, PathParams params) {
  const auto id = id_of(params);
  if (!id) co_return not_found();
  const auto opened = co_await recordings_.open(*id);
  if (!opened) co_return problem(opened.error());
  const std::shared_ptr<call::Playback> playback = *opened;
  const std::uint64_t size = playback->size();
  const auto range = net::parse_range(request.headers.get("Range").value_or(""), size);
  if (!range) {
    net::HttpResponse refused = problem(416, "the range lies outside the recording");
    refused.headers.set("Content-Range", fmt::format("bytes */{}", size));
    co_return refused;
  }
  const net::ByteRange part = *range ? **range : net::ByteRange{0, size - 1};
  const auto at = std::make_shared<std::uint64_t>(part.first);
  const net::BodySource source = [playback, at, part]() -> net::Task<Result<std::string>> {
    const std::uint64_t left = part.last + 1 - *at;
    const std::uint64_t offset = *at;
    const std::size_t piece = static_cast<std::size_t>(std::min<std::uint64_t>(left, kPieceBytes));
    if (piece == 0) co_return std::string();
    auto bytes = co_await playback->read(offset, piece);
    if (bytes) *at += bytes->size();
    co_return bytes;
  };
  auto response = net::HttpResponse::stream(*range ? 206 : 200, "audio/wav", source,
                                            part.last + 1 - part.first);
  response.headers.set("Accept-Ranges", "bytes");
  response.headers.set("Cache-Control", "private, no-store");
  if (*range)
    response.headers.set("Content-Range",
                         fmt::format("bytes {}-{}/{}", part.first, part.last, size));
  co_return response;
}

}  // namespace yyc3::api
