#pragma once

#include <filesystem>
#include <memory>

#include "worker/hear_model.hpp"

namespace yyc3::worker {

/// A model of sherpa-onnx that the operator put into `folder`. Its kind is told by the files, of
/// which those of 8 bit (*.int8.onnx) are preferred:
///   encoder*.onnx decoder*.onnx joiner*.onnx   streaming transducer (zipformer, …)
///   encoder*.onnx decoder*.onnx                streaming paraformer
///   model*.onnx                                SenseVoice if tokens.txt has <|zh|>, else
///   paraformer
/// each beside its tokens.txt.
///
/// A window is decoded as a whole, streaming models chunk by chunk: those stop within 50 ms, the
/// others after the decode under way (its result is dropped). No grammar inside the search: the
/// text of a closed answer is matched with its phrases (speech::hold_to).
/// @param language of SenseVoice: "zh", "en" or "auto"; the other kinds know their own.
/// Errors: kNotFound (no model there), kInvalid (damaged; the library has said on standard error
/// what it found), naming the folder and the mend. An ONNX model that lacks what its kind must
/// have ends the process, for the library calls _Exit: log the folder before.
Result<std::shared_ptr<const HearModel>> load_sherpa(const std::filesystem::path& folder,
                                                     const char* language);

}  // namespace yyc3::worker
