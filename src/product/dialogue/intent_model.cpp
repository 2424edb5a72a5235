#include "product/dialogue/intent_model.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

namespace yyc3::dialogue {
namespace {

constexpr std::string_view kMagic = "YYC3NLU1";
constexpr std::size_t kPartBytes = 4 + 2 * 4 * kIntents + std::size_t{kBuckets} * kIntents;
constexpr std::size_t kFileBytes = 8 + 4 + 4 + 2 * kPartBytes + 8;

std::uint64_t checksum(std::string_view bytes) {
  std::uint64_t h = 0xCBF29CE484222325ULL;
  for (const char byte : bytes) h = (h ^ static_cast<unsigned char>(byte)) * 0x100000001B3ULL;
  return h;
}

template <class T>
void put(std::string& to, T value) {
  for (std::size_t i = 0; i < sizeof value; ++i) {
    to += static_cast<char>(value & 0xFF);
    value = static_cast<T>(value >> 8);
  }
}
void put_float(std::string& to, float value) { put(to, std::bit_cast<std::uint32_t>(value)); }

class Bytes {
 public:
  explicit Bytes(std::string_view all) : rest_(all) {}
  template <class T>
  T take() {
    T value = 0;
    for (std::size_t i = 0; i < sizeof value; ++i)
      value |= static_cast<T>(static_cast<T>(static_cast<unsigned char>(rest_[i])) << (8 * i));
    rest_.remove_prefix(sizeof value);
    return value;
  }
  float take_float() { return std::bit_cast<float>(take<std::uint32_t>()); }
  std::string_view take_run(std::size_t size) {
    const std::string_view run = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return run;
  }

 private:
  std::string_view rest_;
};

void write(std::string& to, const IntentModel::Part& part) {
  put_float(to, part.temperature);
  for (const float value : part.bias) put_float(to, value);
  for (const float value : part.scale) put_float(to, value);
  for (const std::int8_t weight : part.weights) to += static_cast<char>(weight);
}

bool usable(const IntentModel::Part& part) {
  const auto finite = [](float value) { return std::isfinite(value); };
  bool all = finite(part.temperature) && part.temperature > 0;
  for (const float value : part.bias) all = all && finite(value);
  for (const float value : part.scale) all = all && finite(value);
  return all;
}

IntentModel::Part read(Bytes& from) {
  IntentModel::Part part;
  part.temperature = from.take_float();
  for (std::size_t c = 0; c < kIntents; ++c) part.bias.push_back(from.take_float());
  for (std::size_t c = 0; c < kIntents; ++c) part.scale.push_back(from.take_float());
  const std::string_view weights = from.take_run(std::size_t{kBuckets} * kIntents);
  part.weights.resize(weights.size());
  std::memcpy(part.weights.data(), weights.data(), weights.size());
  return part;
}

}  // namespace

std::string IntentModel::serialize() const {
  std::string out(kMagic);
  put<std::uint32_t>(out, kBuckets);
  put<std::uint32_t>(out, kIntents);
  write(out, zh_);
  write(out, en_);
  put<std::uint64_t>(out, checksum(out));
  return out;
}

Result<std::shared_ptr<const IntentModel>> IntentModel::load(const std::filesystem::path& file) {
  const std::string again = "; make it again: ninja nlu_model";
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail(ErrorCode::kNotFound, "no intent model at " + file.string() + again);
  std::string bytes(kFileBytes + 1, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  if (bytes.size() != kFileBytes || !bytes.starts_with(kMagic))
    return fail(ErrorCode::kInvalid, file.string() + " is no intent model of this version" + again);
  const std::string_view content = std::string_view(bytes).substr(0, kFileBytes - 8);
  Bytes tail(std::string_view(bytes).substr(kFileBytes - 8));
  if (tail.take<std::uint64_t>() != checksum(content))
    return fail(ErrorCode::kInvalid, file.string() + ": checksum wrong" + again);
  Bytes rest(content.substr(kMagic.size()));
  if (rest.take<std::uint32_t>() != kBuckets || rest.take<std::uint32_t>() != kIntents)
    return fail(ErrorCode::kInvalid, file.string() + ": other size of model" + again);
  Part zh = read(rest);
  Part en = read(rest);
  if (!usable(zh) || !usable(en))
    return fail(ErrorCode::kInvalid, file.string() + ": a number is not finite" + again);
  return std::make_shared<const IntentModel>(std::move(zh), std::move(en));
}

IntentGuess IntentModel::guess(std::string_view text, text::Language language) const {
  const Part& part = language == text::Language::kZh ? zh_ : en_;
  std::array<double, kIntents> sums{};
  for (const Feature& feature : features_of(text, language)) {
    const std::int8_t* row = &part.weights[std::size_t{feature.bucket} * kIntents];
    for (std::size_t c = 0; c < kIntents; ++c)
      sums[c] += static_cast<double>(feature.value) * row[c];
  }
  IntentGuess out;
  double highest = -1e300;
  for (std::size_t c = 0; c < kIntents; ++c) {
    sums[c] = (sums[c] * part.scale[c] + part.bias[c]) / part.temperature;
    highest = std::max(highest, sums[c]);
  }
  double total = 0;
  for (std::size_t c = 0; c < kIntents; ++c) total += out.scores[c] = std::exp(sums[c] - highest);
  for (std::size_t c = 0; c < kIntents; ++c) {
    out.scores[c] /= total;
    if (out.scores[c] > out.confidence) {
      out.confidence = out.scores[c];
      out.intent = kAllIntents[c];
    }
  }
  return out;
}

}  // namespace yyc3::dialogue
