#include "app/commands/model_files.hpp"

namespace yyc3::app {

std::vector<ModelFile> model_files(const Config& config) {
  const std::filesystem::path folder = config.models_dir();
  std::vector<ModelFile> files{
      {"whisper-base", folder / "whisper-base-q8_0.bin", "Chinese is not understood"},
      {"whisper-base-encoder", folder / "whisper-base-q8_0-encoder-1.onnx",
       "Chinese is understood, a third slower"},
      {"whisper-tiny.en", folder / "whisper-tiny.en-q8_0.bin", "English is not understood"},
      {"silero-vad", folder / "silero_vad.onnx", "the energy detector alone finds speech"},
      {"kokoro", folder / "kokoro" / "model.onnx", "nothing new can be said in Chinese"},
      {"piper-joe", folder / "piper-joe" / "model.onnx", "nothing new can be said in English"},
      {"text tables", folder / "text", "no voice, and Chinese is matched by characters alone"}};
  for (auto& file : files) file.present = std::filesystem::exists(file.path);
  return files;
}

}  // namespace yyc3::app
