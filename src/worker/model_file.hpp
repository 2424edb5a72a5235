#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace yyc3::worker {

/// What is wrong with a file of the models folder and what to run, in one line. `file` is named
/// with its folder, since each voice has a `model.onnx`; `why` is the library's word on it, when it
/// has one. kNotFound when it is not there, else kInvalid.
inline tl::unexpected<Error> bad_model(const std::filesystem::path& file,
                                       const std::string& why = {}) {
  const bool there = std::filesystem::is_regular_file(file);
  const auto name = (file.parent_path().filename() / file.filename()).string();
  return fail(there ? ErrorCode::kInvalid : ErrorCode::kNotFound,
              "model file " + name + (there ? " is damaged" : " is missing") +
                  ": run `aicall models pull`" + (why.empty() ? "" : " (" + why + ")"));
}

}  // namespace yyc3::worker
