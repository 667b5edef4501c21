-- The same settlement as one stored procedure, as somebody would write it who keeps
-- his books in PostgreSQL: normal tables, rows locked in one order, one call a
-- settlement. It checks, prices, divides and books what family.Settle does for this
-- bill, and keeps the same evidence: the message's answer whole, an entry for each
-- account with the hash of the one before, the code spent, the caps counted.
CREATE TABLE places (code text PRIMARY KEY, name text, kind text, grade text, region text, designated boolean);
CREATE TABLE items (code text PRIMARY KEY, class text, self_pay jsonb, ceiling jsonb, from_day int, to_day int);
CREATE TABLE accounts (
  person text PRIMARY KEY, masked text, region text, insutype text, psn_type text, active boolean, frozen boolean,
  current_fen bigint CHECK (current_fen >= 0), past_fen bigint CHECK (past_fen >= 0),
  seq bigint, head text, year int, deductible bigint, pool bigint);
CREATE TABLE grants (
  binding text PRIMARY KEY, grantor text REFERENCES accounts, beneficiary text REFERENCES accounts, place_in_order int, relation text,
  purposes text[], monthly_cap bigint, settlement_cap bigint, quota bigint, valid_until int, paused boolean, month int, spent bigint, used bigint);
CREATE INDEX ON grants (beneficiary, place_in_order);
CREATE TABLE codes (hash text PRIMARY KEY, patient text, presenter text, expires timestamptz, state text, spent_by text);
CREATE TABLE entries (
  person text, seq bigint, at timestamptz, kind text, ref text, patient boolean, current_delta bigint, past_delta bigint,
  current_after bigint, past_after bigint, year int, deductible bigint, pool bigint, binding text, month int, prev text,
  PRIMARY KEY (person, seq));
CREATE TABLE messages (id text PRIMARY KEY, fingerprint text, state text, at timestamptz, answer jsonb);

CREATE FUNCTION book(a accounts, at timestamptz, ref text, is_patient boolean, current_paid bigint, past_paid bigint, y int, ded bigint, fund bigint, b text, m int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE hash text;
BEGIN
  hash := encode(sha256(convert_to(concat_ws(E'\n', 'entry', a.person, a.seq + 1, at, 'settlement', ref, is_patient, -current_paid, -past_paid,
    a.current_fen - current_paid, a.past_fen - past_paid, y, ded, fund, b, m, a.head), 'UTF8')), 'hex');
  INSERT INTO entries VALUES (a.person, a.seq + 1, at, 'settlement', ref, is_patient, -current_paid, -past_paid,
    a.current_fen - current_paid, a.past_fen - past_paid, y, ded, fund, b, m, a.head);
  UPDATE accounts SET current_fen = current_fen - current_paid, past_fen = past_fen - past_paid, seq = seq + 1, head = hash,
    year = CASE WHEN is_patient THEN y ELSE year END,
    deductible = CASE WHEN NOT is_patient THEN deductible WHEN year = y THEN deductible + ded ELSE ded END,
    pool = CASE WHEN NOT is_patient THEN pool WHEN year = y THEN pool + fund ELSE fund END
    WHERE person = a.person;
END $$;

CREATE FUNCTION settle(message text, sent_fingerprint text, code_hash text, place_code text, now_is timestamptz, lines jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  q codes; p places; a accounts; payer accounts; g grants; i items; l jsonb; before messages;
  today int := 20260312; this_year int := 2026; this_month int := 202603;
  total bigint := 0; out_of_scope bigint := 0; over_limit bigint := 0; self_first bigint := 0; in_scope bigint := 0;
  amount bigint; within bigint; first bigint; ceiling bigint; ded bigint; fund bigint; base bigint; rest bigint;
  own bigint; own_current bigint; paid bigint; paid_current bigint; allowed bigint; shared bigint := 0; cash bigint;
  priced jsonb := '[]'; shares jsonb := '[]'; answer jsonb;
BEGIN
  SELECT * INTO before FROM messages WHERE id = message;
  IF FOUND THEN
    IF before.fingerprint <> sent_fingerprint THEN RAISE EXCEPTION 'message_reused'; END IF;
    RETURN before.answer;
  END IF;
  SELECT * INTO p FROM places WHERE code = place_code;
  IF NOT FOUND OR NOT p.designated THEN RAISE EXCEPTION 'institution_not_designated'; END IF;
  SELECT * INTO q FROM codes WHERE hash = code_hash FOR UPDATE;
  IF NOT FOUND OR q.state <> 'issued' OR q.expires < now_is THEN RAISE EXCEPTION 'qr_invalid'; END IF;
  SELECT * INTO a FROM accounts WHERE person = q.patient FOR UPDATE;
  IF NOT a.active OR a.frozen THEN RAISE EXCEPTION 'person_not_insured'; END IF;
  FOR l IN SELECT * FROM jsonb_array_elements(lines) LOOP
    SELECT * INTO i FROM items WHERE code = l->>'code' AND from_day <= today AND (to_day = 0 OR today <= to_day);
    IF NOT FOUND THEN RAISE EXCEPTION 'item_not_covered'; END IF;
    amount := (l->>'amount')::bigint;
    total := total + amount;
    IF i.class = 'C' THEN
      out_of_scope := out_of_scope + amount; within := 0; first := 0;
    ELSE
      within := amount; first := 0;
      ceiling := (i.ceiling->>p.grade)::bigint;
      IF ceiling IS NOT NULL AND (l->>'price')::bigint > ceiling THEN
        within := amount - least(amount, ((l->>'price')::bigint - ceiling) * (l->>'quantity')::bigint);
      END IF;
      over_limit := over_limit + amount - within;
      IF i.class = 'B' THEN first := (within * (i.self_pay->>a.insutype)::bigint + 5000) / 10000; END IF;
      self_first := self_first + first;
      in_scope := in_scope + within - first;
    END IF;
    priced := priced || jsonb_build_object('line', l, 'class', i.class, 'over_limit', amount - within, 'self_first', first, 'in_scope', within - first);
  END LOOP;
  IF total <> (SELECT sum((x->>'amount')::bigint) FROM jsonb_array_elements(lines) x) THEN RAISE EXCEPTION 'sum_mismatch'; END IF;
  ded := least(in_scope, greatest(0, 20000 - CASE WHEN a.year = this_year THEN a.deductible ELSE 0 END));
  fund := least(((in_scope - ded) * 6000 + 5000) / 10000, greatest(0, 150000 - CASE WHEN a.year = this_year THEN a.pool ELSE 0 END));
  base := total - fund - out_of_scope - over_limit;
  own := least(base, a.current_fen + a.past_fen);
  own_current := least(own, a.current_fen);
  rest := base - own;
  PERFORM book(a, now_is, message, true, own_current, own - own_current, this_year, ded, fund, NULL, NULL);
  FOR g IN SELECT * FROM grants WHERE beneficiary = a.person ORDER BY place_in_order LOOP
    EXIT WHEN rest = 0;
    SELECT * INTO payer FROM accounts WHERE person = g.grantor FOR UPDATE;
    SELECT * INTO g FROM grants WHERE binding = g.binding FOR UPDATE;
    CONTINUE WHEN NOT FOUND OR NOT payer.active OR payer.frozen OR g.paused OR NOT 'care' = ANY (g.purposes) OR g.valid_until <> 0 AND g.valid_until < today;
    allowed := 1000000000;
    IF g.settlement_cap > 0 THEN allowed := least(allowed, g.settlement_cap); END IF;
    IF g.monthly_cap > 0 THEN allowed := least(allowed, greatest(0, g.monthly_cap - CASE WHEN g.month = this_month THEN g.spent ELSE 0 END)); END IF;
    IF g.quota > 0 THEN allowed := least(allowed, greatest(0, g.quota - g.used)); END IF;
    paid := least(rest, allowed, payer.current_fen + payer.past_fen);
    paid_current := least(paid, payer.current_fen);
    IF paid > 0 THEN
      UPDATE grants SET spent = CASE WHEN month = this_month THEN spent + paid ELSE paid END, month = this_month, used = used + paid WHERE binding = g.binding;
      PERFORM book(payer, now_is, message, false, paid_current, paid - paid_current, NULL, NULL, NULL, g.binding, this_month);
    END IF;
    rest := rest - paid;
    shared := shared + paid;
    shares := shares || jsonb_build_object('grantor', g.grantor, 'binding', g.binding, 'relation', g.relation, 'paid', paid, 'masked', payer.masked);
  END LOOP;
  cash := total - fund - own - shared;
  UPDATE codes SET state = 'redeemed', spent_by = message WHERE hash = code_hash;
  answer := jsonb_build_object('id', message, 'at', now_is, 'place', place_code, 'patient', a.person, 'masked', a.masked, 'presenter', q.presenter,
    'lines', priced, 'total', total, 'out_of_scope', out_of_scope, 'over_limit', over_limit, 'self_first', self_first, 'in_scope', in_scope,
    'deductible', ded, 'fund', fund, 'own', own, 'shares', shares, 'cash', cash);
  INSERT INTO messages VALUES (message, sent_fingerprint, 'settled', now_is, answer);
  RETURN answer;
END $$;
