-- Times are UTC milliseconds; ids UUIDv7 as text; money integer micro-units of an ISO 4217 currency.
-- Personal data: *_sealed is a FieldCipher envelope, *_index its blind index. Flags are 0 or 1.

CREATE TABLE tenants (
  tenant_id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  created_ms BIGINT NOT NULL
);
INSERT INTO tenants (tenant_id, name, created_ms) VALUES ('default', 'Default', 0);

CREATE TABLE data_keys (
  tenant_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  master_id TEXT NOT NULL,
  wrapped BYTEA NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, version)
);

CREATE TABLE calls (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  subject_id TEXT,                        -- whom the call was with; what an erasure request names
  direction TEXT NOT NULL CHECK (direction IN ('outbound', 'inbound', 'browser')),
  target_sealed BYTEA NOT NULL,
  target_index TEXT NOT NULL,
  trunk TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL,                    -- queued dialing ringing answered talking escalated completed failed
  outcome TEXT,                           -- set once, when the call ends
  disposition TEXT,                       -- what the conversation reached
  sip_status BIGINT,
  q850 BIGINT,
  created_ms BIGINT NOT NULL,
  ringing_ms BIGINT,
  answered_ms BIGINT,
  ended_ms BIGINT,
  language TEXT NOT NULL DEFAULT '',
  flow_id TEXT NOT NULL DEFAULT '',
  flow_version BIGINT NOT NULL DEFAULT 0,
  variables TEXT NOT NULL DEFAULT '{}',   -- JSON handed to the flow
  slots TEXT NOT NULL DEFAULT '{}',       -- JSON: what the conversation gathered
  dialog_state TEXT,                      -- JSON: tags, CSeq, routes; lets a restart send the BYE
  idempotency_key TEXT,
  request_hash TEXT,                      -- of the request that came with the key
  degraded TEXT NOT NULL DEFAULT '[]',    -- JSON list: what was missing during the call
  recording_id TEXT,
  revision BIGINT NOT NULL DEFAULT 0,     -- raised by every change: the ETag
  retention_class TEXT NOT NULL DEFAULT 'standard',
  legal_hold BIGINT NOT NULL DEFAULT 0 CHECK (legal_hold IN (0, 1)),
  UNIQUE (tenant_id, idempotency_key)
);
CREATE INDEX calls_by_tenant ON calls (tenant_id, id);
CREATE INDEX calls_by_target ON calls (tenant_id, target_index);
CREATE INDEX calls_by_subject ON calls (tenant_id, subject_id);
CREATE INDEX calls_open ON calls (state) WHERE ended_ms IS NULL;

CREATE TABLE call_transitions (
  call_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  tenant_id TEXT NOT NULL,
  from_state TEXT NOT NULL,
  to_state TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (call_id, seq)
);

CREATE TABLE turns (
  call_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  tenant_id TEXT NOT NULL,
  subject_id TEXT,
  speaker TEXT NOT NULL CHECK (speaker IN ('customer', 'bot', 'agent')),
  text TEXT NOT NULL,                     -- what was recognised, or meant to be said
  spoken TEXT NOT NULL DEFAULT '',        -- bot: what the caller heard, by the playout ledger
  unsaid TEXT NOT NULL DEFAULT '',        -- bot: what an interruption cut off
  interrupted_at_ms BIGINT,               -- bot: milliseconds of it that were played
  started_ms BIGINT NOT NULL,             -- both since the answer
  ended_ms BIGINT,
  node TEXT,                              -- of the flow
  intent TEXT,
  confidence DOUBLE PRECISION,
  sentiment TEXT,
  slots TEXT NOT NULL DEFAULT '{}',       -- JSON
  stages TEXT NOT NULL DEFAULT '{}',      -- JSON: ms of end_of_turn asr understanding model voice first_packet
  words TEXT NOT NULL DEFAULT '[]',       -- JSON: word, start ms, end ms
  retention_class TEXT NOT NULL DEFAULT 'standard',
  legal_hold BIGINT NOT NULL DEFAULT 0 CHECK (legal_hold IN (0, 1)),
  PRIMARY KEY (call_id, seq)
);

CREATE TABLE call_events (
  id TEXT NOT NULL PRIMARY KEY,
  call_id TEXT NOT NULL,
  tenant_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  detail TEXT NOT NULL DEFAULT '{}'       -- JSON
);
CREATE INDEX call_events_by_call ON call_events (call_id, id);

CREATE TABLE recordings (
  id TEXT NOT NULL PRIMARY KEY,
  call_id TEXT NOT NULL,
  tenant_id TEXT NOT NULL,
  subject_id TEXT,
  wrapped_key BYTEA,                      -- NULL = erased
  codec TEXT NOT NULL,
  rate_hz BIGINT NOT NULL,
  channels BIGINT NOT NULL,
  duration_ms BIGINT NOT NULL DEFAULT 0,
  chunks BIGINT NOT NULL DEFAULT 0,
  bytes BIGINT NOT NULL DEFAULT 0,
  lost_frames BIGINT NOT NULL DEFAULT 0,  -- dropped by a full ring
  blob_key TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('recording', 'ready', 'failed', 'erased')),
  created_ms BIGINT NOT NULL,
  retention_class TEXT NOT NULL DEFAULT 'standard',
  legal_hold BIGINT NOT NULL DEFAULT 0 CHECK (legal_hold IN (0, 1))
);
CREATE INDEX recordings_by_call ON recordings (call_id);
CREATE INDEX recordings_open ON recordings (state) WHERE state = 'recording';

-- Append-only: rows are never changed; a correction is a row of the opposite sign.
CREATE TABLE usage_ledger (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  call_id TEXT,
  kind TEXT NOT NULL,
  quantity BIGINT NOT NULL,
  unit TEXT NOT NULL,
  amount_micros BIGINT NOT NULL,
  currency TEXT NOT NULL,
  at_ms BIGINT NOT NULL
);
CREATE INDEX usage_by_call ON usage_ledger (call_id);
CREATE INDEX usage_by_tenant ON usage_ledger (tenant_id, at_ms);

CREATE TABLE do_not_call (
  tenant_id TEXT NOT NULL,
  target_index TEXT NOT NULL,
  target_sealed BYTEA NOT NULL,           -- so that an auditor can be shown the number
  source TEXT NOT NULL,                   -- call, api, import
  reason TEXT NOT NULL DEFAULT '',
  call_id TEXT,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, target_index)
);

CREATE TABLE consents (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  subject_id TEXT,
  target_index TEXT NOT NULL,
  purpose TEXT NOT NULL,
  granted BIGINT NOT NULL CHECK (granted IN (0, 1)),
  source TEXT NOT NULL,
  evidence TEXT NOT NULL DEFAULT '{}',    -- JSON
  at_ms BIGINT NOT NULL,
  expires_ms BIGINT
);
CREATE INDEX consents_by_target ON consents (tenant_id, target_index, at_ms);

-- That the caller was told "this is a machine": what of it was really played.
CREATE TABLE disclosures (
  call_id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  text TEXT NOT NULL,
  language TEXT NOT NULL,
  started_ms BIGINT NOT NULL,
  played_ms BIGINT NOT NULL,
  whole_ms BIGINT NOT NULL,
  heard BIGINT NOT NULL CHECK (heard IN (0, 1)),
  retention_class TEXT NOT NULL DEFAULT 'standard',
  legal_hold BIGINT NOT NULL DEFAULT 0 CHECK (legal_hold IN (0, 1))
);
