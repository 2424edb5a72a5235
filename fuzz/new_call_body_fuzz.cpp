#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "api/new_call_body.hpp"
#include "base/bytes.hpp"

namespace {

using namespace yyc3;

void require(bool good) {
  if (!good) std::abort();
}

const std::set<std::string> kFlows{"appointment_reminder", "survey"};

void check(const call::NewCall& call) {
  require(!call.to.empty() && call.to.size() <= 255 && is_utf8(call.to));
  require(kFlows.contains(call.flow) && call.variables.size() <= 32);
  require(!call.subject_id || (!call.subject_id->empty() && call.subject_id->size() <= 128));
  for (const auto& [name, value] : call.variables)
    require(!name.empty() && name.size() <= 64 && value.size() <= 800 && is_utf8(value));
}

/// The body that asks for this call.
std::string body_of(const call::NewCall& call) {
  json::object body{
      {"to", call.to}, {"flow", call.flow}, {"language", speech::code_of(call.language)}};
  json::object variables;
  for (const auto& [name, value] : call.variables) variables[name] = value;
  body["variables"] = std::move(variables);
  if (call.subject_id) body["subject_id"] = *call.subject_id;
  return json::serialize(body);
}

}  // namespace

// The one JSON body that the REST API reads: POST /api/v1/calls.
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = api::read_new_call({reinterpret_cast<const char*>(data), size}, kFlows);
  if (!read) {
    require(!read.error().detail.empty());
    return 0;
  }
  require(read->errors.size() <= api::kFieldErrorsMax);
  for (const auto& error : read->errors)  // they become JSON
    require(!error.reason.empty() && is_utf8(error.field) && is_utf8(error.reason));
  if (!read->errors.empty()) return 0;
  check(read->call);
  const auto again = api::read_new_call(body_of(read->call), kFlows);
  require(again.has_value() && again->errors.empty());
  require(again->call.to == read->call.to && again->call.variables == read->call.variables);
  require(again->call.language == read->call.language && again->call.flow == read->call.flow);
  require(again->call.subject_id == read->call.subject_id);
  return 0;
}
