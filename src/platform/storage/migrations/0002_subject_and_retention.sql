-- Whom a row is about, how long it is kept and whether it must not be deleted: on every row that an
-- erasure request or a retention run has to find. Old rows take it from their call; most calls have
-- nothing to give, and a large store is not rewritten for them.

ALTER TABLE call_transitions ADD COLUMN subject_id TEXT;
ALTER TABLE call_transitions ADD COLUMN retention_class TEXT NOT NULL DEFAULT 'standard';
ALTER TABLE call_transitions ADD COLUMN legal_hold BIGINT NOT NULL DEFAULT 0
  CHECK (legal_hold IN (0, 1));
UPDATE call_transitions SET
  subject_id = (SELECT c.subject_id FROM calls c WHERE c.id = call_transitions.call_id),
  retention_class = (SELECT c.retention_class FROM calls c WHERE c.id = call_transitions.call_id),
  legal_hold = (SELECT c.legal_hold FROM calls c WHERE c.id = call_transitions.call_id)
WHERE call_id IN (SELECT id FROM calls
                  WHERE subject_id IS NOT NULL OR retention_class <> 'standard' OR legal_hold <> 0);

ALTER TABLE call_events ADD COLUMN subject_id TEXT;
ALTER TABLE call_events ADD COLUMN retention_class TEXT NOT NULL DEFAULT 'standard';
ALTER TABLE call_events ADD COLUMN legal_hold BIGINT NOT NULL DEFAULT 0
  CHECK (legal_hold IN (0, 1));
UPDATE call_events SET
  subject_id = (SELECT c.subject_id FROM calls c WHERE c.id = call_events.call_id),
  retention_class = (SELECT c.retention_class FROM calls c WHERE c.id = call_events.call_id),
  legal_hold = (SELECT c.legal_hold FROM calls c WHERE c.id = call_events.call_id)
WHERE call_id IN (SELECT id FROM calls
                  WHERE subject_id IS NOT NULL OR retention_class <> 'standard' OR legal_hold <> 0);

ALTER TABLE disclosures ADD COLUMN subject_id TEXT;
UPDATE disclosures SET
  subject_id = (SELECT c.subject_id FROM calls c WHERE c.id = disclosures.call_id)
WHERE call_id IN (SELECT id FROM calls WHERE subject_id IS NOT NULL);
