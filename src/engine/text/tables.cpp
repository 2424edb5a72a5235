#include "engine/text/tables.hpp"

#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "engine/text/utf8.hpp"

namespace yyc3::text {
namespace {

constexpr std::size_t kHeaderSize = 32;
constexpr std::string_view kMagic = "YYC3TXT1";
constexpr std::size_t kMaxFile = 64UL << 20;  // ours are < 6 MB; more is another file

std::uint32_t read_u32(const char* at) {
  std::uint32_t v = 0;
  std::memcpy(&v, at, sizeof v);  // little-endian hosts only, like the rest of the house
  return v;
}

std::uint64_t checksum(const char* data, std::size_t size) {
  std::uint64_t value = 0xCBF29CE484222325ULL;
  for (std::size_t i = 0; i < size; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data + i, size - i < 8 ? size - i : 8);
    value = (value ^ word) * 0x100000001B3ULL;
  }
  return value;
}

/// Offsets must rise and end at the size of their blob: after this no look-up can leave the map.
bool offsets_sound(const char* offsets, std::uint32_t count, std::uint32_t blob) {
  std::uint32_t before = 0;
  for (std::uint32_t i = 0; i <= count; ++i) {
    const std::uint32_t at = read_u32(offsets + std::size_t{i} * 4);
    if (at < before || at > blob) return false;
    before = at;
  }
  return before == blob && read_u32(offsets) == 0;
}

tl::unexpected<Error> broken(const std::filesystem::path& file, const char* why) {
  return fail(ErrorCode::kInvalid, "text table " + file.string() + " is damaged (" + why +
                                       "): delete it and run tools/text/make_lexicons.py");
}

}  // namespace

Result<Table> Table::load(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return fail(ErrorCode::kNotFound, "text table " + file.string() +
                                          " cannot be opened: run tools/text/make_lexicons.py");
  }
  struct stat info{};
  const bool known = ::fstat(fd, &info) == 0 && info.st_size >= 0;
  const auto size = known ? static_cast<std::size_t>(info.st_size) : 0;
  if (size < kHeaderSize || size > kMaxFile) {
    ::close(fd);
    return broken(file, "wrong size");
  }
  void* map = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  ::close(fd);
  if (map == MAP_FAILED) {
    return fail(ErrorCode::kInternal, "text table " + file.string() + " cannot be mapped");
  }
  Table table;
  table.map_ = static_cast<const char*>(map);
  table.map_size_ = size;
  const char* head = table.map_;
  if (std::string_view(head, 8) != kMagic) return broken(file, "not a table");
  table.count_ = read_u32(head + 8);
  const std::size_t key_bytes = read_u32(head + 12);
  const std::size_t value_bytes = read_u32(head + 16);
  table.width_ = read_u32(head + 20);
  const std::size_t offsets = (std::size_t{table.count_} + 1) * 4;
  const std::size_t all_offsets = table.width_ == 0 ? 2 * offsets : offsets;
  if (size != kHeaderSize + all_offsets + key_bytes + value_bytes) return broken(file, "cut short");
  std::uint64_t wanted = 0;
  std::memcpy(&wanted, head + 24, sizeof wanted);
  if (checksum(head + kHeaderSize, size - kHeaderSize) != wanted) return broken(file, "checksum");
  table.key_offsets_ = head + kHeaderSize;
  table.value_offsets_ = table.width_ == 0 ? table.key_offsets_ + offsets : nullptr;
  table.keys_ = table.key_offsets_ + all_offsets;
  table.values_ = table.keys_ + key_bytes;
  const bool keys_sound = offsets_sound(table.key_offsets_, table.count_, read_u32(head + 12));
  const bool values_sound =
      table.width_ == 0 ? offsets_sound(table.value_offsets_, table.count_, read_u32(head + 16))
                        : std::size_t{table.width_} * table.count_ == value_bytes;
  if (!keys_sound || !values_sound) return broken(file, "offsets");
  return table;
}

Table::Table(Table&& other) noexcept { *this = std::move(other); }

Table& Table::operator=(Table&& other) noexcept {
  if (this == &other) return *this;
  unmap();
  map_ = std::exchange(other.map_, nullptr);
  map_size_ = std::exchange(other.map_size_, 0);
  count_ = std::exchange(other.count_, 0);
  width_ = other.width_;
  key_offsets_ = other.key_offsets_;
  value_offsets_ = other.value_offsets_;
  keys_ = other.keys_;
  values_ = other.values_;
  return *this;
}

Table::~Table() { unmap(); }

void Table::unmap() {
  if (map_ != nullptr) ::munmap(const_cast<char*>(map_), map_size_);
  map_ = nullptr;
}

std::string_view Table::key(std::uint32_t index) const {
  if (index >= count_) return {};
  const std::uint32_t begin = read_u32(key_offsets_ + std::size_t{index} * 4);
  return {keys_ + begin, read_u32(key_offsets_ + std::size_t{index} * 4 + 4) - begin};
}

std::string_view Table::value(std::uint32_t index) const {
  if (index >= count_) return {};
  if (width_ != 0) return {values_ + std::size_t{index} * width_, width_};
  const std::uint32_t begin = read_u32(value_offsets_ + std::size_t{index} * 4);
  return {values_ + begin, read_u32(value_offsets_ + std::size_t{index} * 4 + 4) - begin};
}

Table::Range Table::narrow(Range range, std::size_t depth, std::string_view more) const {
  const auto bound = [&](std::uint32_t low, std::uint32_t high, bool past_equal) {
    while (low < high) {
      const std::uint32_t mid = low + (high - low) / 2;
      const int order = key(mid).substr(depth, more.size()).compare(more);
      const bool before = past_equal ? order <= 0 : order < 0;
      (before ? low : high) = before ? mid + 1 : mid;
    }
    return low;
  };
  const std::uint32_t begin = bound(range.begin, range.end, false);
  return {begin, bound(begin, range.end, true)};
}

std::optional<std::uint32_t> Table::find(std::string_view wanted) const {
  std::uint32_t low = 0;
  std::uint32_t high = count_;
  while (low < high) {
    const std::uint32_t mid = low + (high - low) / 2;
    const int order = key(mid).compare(wanted);
    if (order == 0) return mid;
    (order < 0 ? low : high) = order < 0 ? mid + 1 : mid;
  }
  return std::nullopt;
}

std::optional<std::string_view> Table::get(std::string_view wanted) const {
  const auto index = find(wanted);
  if (!index) return std::nullopt;
  return value(*index);
}

Tables::Tables(Table words, Table hmm, Table syllables, Table chars, std::array<Table, 3> rest)
    : words_(std::move(words)),
      hmm_(std::move(hmm)),
      syllables_(std::move(syllables)),
      chars_(std::move(chars)),
      phrases_(std::move(rest[0])),
      english_(std::move(rest[1])),
      t2s_(std::move(rest[2])) {}

Result<TablesPtr> Tables::load(const std::filesystem::path& directory) {
  auto words = Table::load(directory / "zh-words.tbl");
  if (!words) return tl::unexpected(words.error());
  auto hmm = Table::load(directory / "zh-hmm.tbl");
  if (!hmm) return tl::unexpected(hmm.error());
  auto syllables = Table::load(directory / "zh-syllables.tbl");
  if (!syllables) return tl::unexpected(syllables.error());
  auto chars = Table::load(directory / "zh-chars.tbl");
  if (!chars) return tl::unexpected(chars.error());
  auto phrases = Table::load(directory / "zh-phrases.tbl");
  if (!phrases) return tl::unexpected(phrases.error());
  auto english = Table::load(directory / "en-words.tbl");
  if (!english) return tl::unexpected(english.error());
  auto t2s = Table::load(directory / "t2s.tbl");
  if (!t2s) return tl::unexpected(t2s.error());
  std::array<Table, 3> rest{std::move(*phrases), std::move(*english), std::move(*t2s)};
  std::shared_ptr<Tables> tables(new Tables(std::move(*words), std::move(*hmm),
                                            std::move(*syllables), std::move(*chars),
                                            std::move(rest)));
  const auto total = tables->words_.get("");
  const bool fits = total && total->size() == 4 && read_u32(total->data()) > 0 &&
                    tables->hmm_.size() > 0 && tables->hmm_.value(0).size() == 16 &&
                    tables->find_syllable("zhong1") && tables->first_reading(U'中');
  if (!fits) return broken(directory, "files of different versions");
  tables->total_frequency_ = read_u32(total->data());
  return TablesPtr(std::move(tables));
}

std::vector<SyllableId> Tables::readings(char32_t han) const {
  std::string key;
  append_utf8(key, han == U'〇' ? U'零' : han);
  std::vector<SyllableId> out;
  const auto value = chars_.get(key);
  for (std::size_t i = 0; value && i + 2 <= value->size(); i += 2) {
    SyllableId id = 0;
    std::memcpy(&id, value->data() + i, sizeof id);
    out.push_back(id);
  }
  return out;
}

std::optional<SyllableId> Tables::first_reading(char32_t han) const {
  std::string key;
  append_utf8(key, han == U'〇' ? U'零' : han);
  const auto value = chars_.get(key);
  if (!value || value->size() < 2) return std::nullopt;
  SyllableId id = 0;
  std::memcpy(&id, value->data(), sizeof id);
  return id;
}

std::string_view Tables::syllable(SyllableId id) const { return syllables_.key(id); }
std::string_view Tables::kokoro(SyllableId id) const { return syllables_.value(id); }

std::optional<SyllableId> Tables::find_syllable(std::string_view toned) const {
  const auto index = syllables_.find(toned);
  if (!index) return std::nullopt;
  return static_cast<SyllableId>(*index);
}

SyllableId Tables::with_tone(SyllableId id, int tone) const {
  std::string toned(syllable(id));
  if (toned.empty()) return id;
  toned.back() = static_cast<char>('0' + tone);
  return find_syllable(toned).value_or(id);
}

char32_t Tables::simplified(char32_t c) const {
  if (!is_han(c)) return c;
  std::string key;
  append_utf8(key, c);
  const auto value = t2s_.get(key);
  if (!value) return c;
  const std::u32string plain = decode_utf8(*value);
  return plain.size() == 1 ? plain[0] : c;
}

}  // namespace yyc3::text
