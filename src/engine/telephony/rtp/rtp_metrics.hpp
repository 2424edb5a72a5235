#pragma once

#include "platform/telemetry/metrics.hpp"

namespace yyc3::rtp {

/// Every metric of this room, declared once.
struct RtpMetrics {
  explicit RtpMetrics(telemetry::Registry& r)
      : streams(r.gauge("yyc3_rtp_streams", "Audio legs now open")),
        sent(r.counter("yyc3_rtp_packets_sent_total", "RTP packets sent")),
        received(r.counter("yyc3_rtp_packets_received_total", "Datagrams read from RTP sockets")),
        send_errors(r.counter("yyc3_rtp_send_errors_total", "RTP packets the kernel refused")),
        skipped_ticks(r.counter("yyc3_rtp_skipped_ticks_total",
                                "20 ms ticks left out because a media thread was held up")),
        underruns(r.counter("yyc3_rtp_underruns_total", "Holes inside an utterance")),
        input_dropped(r.counter("yyc3_rtp_input_dropped_total",
                                "Frames heard that a call loop did not fetch in time")),
        events_dropped(r.counter("yyc3_rtp_events_dropped_total",
                                 "Events that a call loop did not fetch in time")),
        record_dropped(r.counter("yyc3_rtp_record_dropped_total",
                                 "Frames that the recorder did not fetch in time")),
        lateness(r.histogram(
            "yyc3_rtp_departure_lateness_seconds", "Departure of a packet after its scheduled time",
            {0.00025, 0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5})) {}

  telemetry::Gauge& streams;
  telemetry::Counter& sent;
  telemetry::Counter& received;
  telemetry::Counter& send_errors;
  telemetry::Counter& skipped_ticks;
  telemetry::Counter& underruns;
  telemetry::Counter& input_dropped;
  telemetry::Counter& events_dropped;
  telemetry::Counter& record_dropped;
  telemetry::Histogram& lateness;
};

}  // namespace yyc3::rtp
