#include "engine/telephony/sip/sdp.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <fmt/format.h>

namespace yyc3::sip {

namespace {

constexpr std::size_t kFormatsMax = 64;

struct Format {
  int payload_type = 0;
  std::string encoding;  ///< upper-case "PCMU/8000"
};

/// One m= section.
struct Section {
  std::string kind;  ///< "audio" …
  int port = 0;
  std::string protocol;
  std::vector<int> formats;
  std::vector<Format> maps;
  std::string address;  ///< of its own c= line, else the session's
  std::optional<Direction> direction;
  int ptime = 20;
  std::optional<int> rtcp_port;
  bool rtcp_mux = false;
  std::string line;  ///< the m= line's value, for refusing it
};

struct Session {
  std::string address;
  std::optional<Direction> direction;
  std::vector<Section> media;
};

tl::unexpected<Error> bad(const std::string& what) {
  return fail(ErrorCode::kInvalid, "SDP: " + what);
}
tl::unexpected<Error> no_common(const std::string& what) {
  return fail(ErrorCode::kConflict, "SDP: " + what);
}

std::optional<int> number(std::string_view text, int min, int max) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < min || value > max)
    return std::nullopt;
  return value;
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  while (!text.empty() && found.size() <= kFormatsMax + 3) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) found.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return found;
}

std::optional<Direction> direction_named(std::string_view text) {
  for (const Direction d :
       {Direction::kSendRecv, Direction::kSendOnly, Direction::kRecvOnly, Direction::kInactive})
    if (text == name_of(d)) return d;
  return std::nullopt;
}

/// The peer's view turned into ours (RFC 3264 §6.1).
Direction mirrored(Direction theirs) {
  if (theirs == Direction::kSendOnly) return Direction::kRecvOnly;
  if (theirs == Direction::kRecvOnly) return Direction::kSendOnly;
  return theirs;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return out;
}

Result<std::string> read_connection(std::string_view value) {
  const auto parts = words(value);
  if (parts.size() != 3 || parts[0] != "IN") return bad("c= line");
  const std::string address(parts[2].substr(0, parts[2].find('/')));
  if (address == "0.0.0.0") return address;  // RFC 2543 hold: nowhere to send to
  if (!is_ip_literal(address)) return bad("c= must be a literal unicast address");
  return address;
}

Result<Section> read_media(std::string_view value) {
  const auto parts = words(value);
  if (parts.size() < 4) return bad("m= line");
  Section section;
  section.kind = parts[0];
  section.line = std::string(value);
  const auto port = number(parts[1].substr(0, parts[1].find('/')), 0, 65535);
  if (!port) return bad("port of the m= line");
  section.port = *port;
  section.protocol = parts[2];
  if (parts.size() > 3 + kFormatsMax) return bad("too many formats");
  for (std::size_t i = 3; i < parts.size(); ++i)
    if (const auto type = number(parts[i], 0, 127)) section.formats.push_back(*type);
  return section;
}

Result<void> read_attribute(std::string_view value, Section& section) {
  const std::size_t colon = std::min(value.find(':'), value.size());
  const std::string_view name = value.substr(0, colon);
  const std::string_view rest = value.substr(std::min(colon + 1, value.size()));
  if (const auto direction = direction_named(name)) {
    section.direction = direction;
  } else if (name == "rtpmap") {
    const auto parts = words(rest);
    const auto type = parts.size() >= 2 ? number(parts[0], 0, 127) : std::nullopt;
    if (!type) return bad("a=rtpmap");
    if (section.maps.size() < kFormatsMax) section.maps.push_back({*type, upper(parts[1])});
  } else if (name == "ptime") {
    if (const auto ptime = number(rest, 10, 200)) section.ptime = *ptime;
  } else if (name == "rtcp") {
    const auto port = number(rest.substr(0, rest.find(' ')), 1, 65535);
    if (!port) return bad("a=rtcp");
    section.rtcp_port = port;
  } else if (name == "rtcp-mux") {
    section.rtcp_mux = true;
  }
  return {};
}

Result<void> read_line(char type, std::string_view value, Session& session) {
  Section* section = session.media.empty() ? nullptr : &session.media.back();
  if (type == 'm') {
    auto media = read_media(value);
    if (!media) return tl::unexpected<Error>(media.error());
    media->address = session.address;
    media->direction = session.direction;
    session.media.push_back(std::move(*media));
  } else if (type == 'c') {
    auto address = read_connection(value);
    if (!address) return tl::unexpected<Error>(address.error());
    (section == nullptr ? session.address : section->address) = *address;
  } else if (type == 'a') {
    Section ignored;
    auto read = read_attribute(value, section == nullptr ? ignored : *section);
    if (!read) return read;
    if (section == nullptr && ignored.direction) session.direction = ignored.direction;
  }
  return {};
}

Result<Session> read_session(std::string_view sdp) {
  if (sdp.size() > kMaxSdpBytes) return bad("longer than 16 KiB");
  if (sdp.substr(0, sdp.find_first_of("\r\n")) != "v=0") return bad("does not begin with v=0");
  Session session;
  std::size_t lines = 0;
  while (!sdp.empty()) {
    if (++lines > kMaxSdpLines) return bad("more than 512 lines");
    const std::size_t end = std::min(sdp.find('\n'), sdp.size());
    std::string_view line = sdp.substr(0, end);
    sdp.remove_prefix(std::min(end + 1, sdp.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    if (line.size() < 2 || line[1] != '=') return bad("a line without type");
    if (std::any_of(line.begin(), line.end(), is_control)) return bad("a control character");
    auto read = read_line(line[0], line.substr(2), session);
    if (!read) return tl::unexpected<Error>(read.error());
  }
  return session;
}

std::optional<int> type_of(const Section& section, const std::string& encoding, int fixed) {
  for (const int type : section.formats) {
    const auto map = std::find_if(section.maps.begin(), section.maps.end(),
                                  [type](const Format& f) { return f.payload_type == type; });
    if (map != section.maps.end()) {
      const bool same = map->encoding == encoding || map->encoding == encoding + "/1";
      if (same) return type;
    } else if (type == fixed) {
      return type;
    }
  }
  return std::nullopt;
}

struct Chosen {
  AudioCodec codec;
  int payload_type;
};

/// `current` first, then the peer's first that we have (RFC 3264 §6.1: its order is its wish).
std::optional<Chosen> choose(const Section& section, const LocalMedia& local,
                             std::optional<AudioCodec> current) {
  std::optional<Chosen> best;
  std::size_t best_rank = section.formats.size();
  for (const AudioCodec codec : local.codecs) {
    const bool mu = codec == AudioCodec::kPcmu;
    const auto type = type_of(section, mu ? "PCMU/8000" : "PCMA/8000", mu ? 0 : 8);
    if (!type) continue;
    if (current == codec) return Chosen{codec, *type};
    const auto rank = static_cast<std::size_t>(
        std::find(section.formats.begin(), section.formats.end(), *type) - section.formats.begin());
    if (!best || rank < best_rank) {
      best = Chosen{codec, *type};
      best_rank = rank;
    }
  }
  return best;
}

const Section* audio_of(const Session& session) {
  for (const Section& section : session.media)
    if (section.kind == "audio" && section.port != 0 && section.protocol == "RTP/AVP")
      return &section;
  return nullptr;
}

Result<RemoteMedia> remote_of(const Session& session, const Section& section,
                              const LocalMedia& local, std::optional<AudioCodec> current) {
  const auto chosen = choose(section, local, current);
  if (!chosen) return no_common("no common audio codec");
  const std::string& address = section.address.empty() ? session.address : section.address;
  if (address.empty()) return bad("no c= line");
  RemoteMedia remote;
  remote.address = address;
  remote.rtp_port = static_cast<std::uint16_t>(section.port);
  remote.rtcp_mux = section.rtcp_mux;
  const int rtcp = section.rtcp_mux ? section.port
                                    : section.rtcp_port.value_or(std::min(section.port + 1, 65535));
  remote.rtcp_port = static_cast<std::uint16_t>(rtcp);
  remote.codec = chosen->codec;
  remote.payload_type = static_cast<std::uint8_t>(chosen->payload_type);
  if (const auto dtmf = type_of(section, "TELEPHONE-EVENT/8000", -1))
    remote.dtmf_payload_type = static_cast<std::uint8_t>(*dtmf);
  remote.ptime_ms = static_cast<std::uint16_t>(section.ptime);
  remote.direction = mirrored(section.direction.value_or(Direction::kSendRecv));
  if (address == "0.0.0.0") remote.direction = Direction::kInactive;
  return remote;
}

int static_type(AudioCodec codec) { return codec == AudioCodec::kPcmu ? 0 : 8; }

/// @param codecs each with its payload type; an answer repeats that of the offer (RFC 3264 §6.1)
std::string audio_lines(const LocalMedia& local, const std::vector<Chosen>& codecs,
                        std::optional<int> dtmf, Direction direction) {
  std::string types, maps;
  for (const auto& [codec, type] : codecs) {
    types += fmt::format(" {}", type);
    maps += fmt::format("a=rtpmap:{} {}/8000\r\n", type, name_of(codec));
  }
  if (dtmf) {
    types += fmt::format(" {}", *dtmf);
    maps += fmt::format("a=rtpmap:{0} telephone-event/8000\r\na=fmtp:{0} 0-15\r\n", *dtmf);
  }
  std::string out = fmt::format("m=audio {} RTP/AVP{}\r\n{}", local.rtp_port, types, maps);
  if (local.rtcp_port) out += fmt::format("a=rtcp:{}\r\n", *local.rtcp_port);
  return out + fmt::format("a=ptime:{}\r\na={}\r\n", local.ptime_ms, name_of(direction));
}

std::string head_lines(const LocalMedia& local, const SdpOrigin& origin) {
  const char* family = local.address.find(':') == std::string::npos ? "IP4" : "IP6";
  return fmt::format("v=0\r\no=- {} {} IN {} {}\r\ns=-\r\nc=IN {} {}\r\nt=0 0\r\n",
                     origin.session_id, origin.version, family, local.address, family,
                     local.address);
}

}  // namespace

std::string_view name_of(AudioCodec codec) { return codec == AudioCodec::kPcmu ? "PCMU" : "PCMA"; }

std::string_view name_of(Direction direction) {
  switch (direction) {
    case Direction::kSendRecv:
      return "sendrecv";
    case Direction::kSendOnly:
      return "sendonly";
    case Direction::kRecvOnly:
      return "recvonly";
    case Direction::kInactive:
      return "inactive";
  }
  return "inactive";
}

std::string make_offer(const LocalMedia& local, const SdpOrigin& origin, Direction direction) {
  std::vector<Chosen> codecs;
  for (const AudioCodec codec : local.codecs) codecs.push_back({codec, static_type(codec)});
  return head_lines(local, origin) + audio_lines(local, codecs, local.dtmf_payload_type, direction);
}

Result<RemoteMedia> parse_answer(std::string_view sdp, const LocalMedia& local) {
  const auto session = read_session(sdp);
  if (!session) return tl::unexpected<Error>(session.error());
  const Section* audio = audio_of(*session);
  if (audio == nullptr) return no_common("the answer has no usable audio stream");
  return remote_of(*session, *audio, local, std::nullopt);
}

Result<AnsweredOffer> answer_offer(std::string_view sdp, const LocalMedia& local,
                                   const SdpOrigin& origin, std::optional<AudioCodec> current) {
  const auto session = read_session(sdp);
  if (!session) return tl::unexpected<Error>(session.error());
  const Section* audio = audio_of(*session);
  if (audio == nullptr) return no_common("the offer has no usable audio stream");
  auto remote = remote_of(*session, *audio, local, current);
  if (!remote) return tl::unexpected<Error>(remote.error());
  AnsweredOffer answered{*remote, head_lines(local, origin)};
  for (const Section& section : session->media) {
    if (&section != audio) {
      const auto parts = words(section.line);
      answered.answer += fmt::format("m={} 0 {} {}\r\n", parts[0], parts[2], parts[3]);
      continue;
    }
    std::optional<int> dtmf;
    if (remote->dtmf_payload_type) dtmf = *remote->dtmf_payload_type;
    const std::vector<Chosen> kept = {{remote->codec, remote->payload_type}};
    answered.answer += audio_lines(local, kept, dtmf, remote->direction);
  }
  return answered;
}

bool is_ip_literal(std::string_view text) {
  const std::string address(text);
  if (address.find('\0') != std::string::npos) return false;
  in_addr four{};
  if (inet_pton(AF_INET, address.c_str(), &four) == 1) {
    const std::uint32_t host = ntohl(four.s_addr);
    return host != 0 && host != 0xFFFFFFFF && (host >> 28) != 0xE;
  }
  in6_addr six{};
  if (inet_pton(AF_INET6, address.c_str(), &six) != 1) return false;
  return !IN6_IS_ADDR_UNSPECIFIED(&six) && !IN6_IS_ADDR_MULTICAST(&six);
}

}  // namespace yyc3::sip
