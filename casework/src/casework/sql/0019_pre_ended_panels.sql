-- A panel that nobody of its frozen pool can fill any more ends, and its case may be drawn for anew.

CREATE TABLE ended_panels (
    case_id   uuid        NOT NULL REFERENCES cases,
    draw_id   uuid        NOT NULL REFERENCES draws,
    expert_id uuid        NOT NULL REFERENCES experts,
    reason    text        NOT NULL,
    ended_by  text        NOT NULL,
    ended_at  timestamptz NOT NULL,
    PRIMARY KEY (case_id, draw_id)
);

COMMENT ON COLUMN ended_panels.expert_id IS 'who had to leave and could not be replaced';

CREATE TABLE ended_seats (
    case_id      uuid        NOT NULL,
    draw_id      uuid        NOT NULL,
    expert_id    uuid        NOT NULL REFERENCES experts,
    kind         text        NOT NULL,
    head         boolean     NOT NULL,
    rank         integer     NOT NULL,
    seated_at    timestamptz NOT NULL,
    recused_at   timestamptz,
    recused_by   text,
    reason       text,
    given        jsonb,
    handed_in_at timestamptz,
    PRIMARY KEY (case_id, draw_id, expert_id),
    FOREIGN KEY (case_id, draw_id) REFERENCES ended_panels
);

COMMENT ON COLUMN ended_seats.given IS 'what stood on the sheet, which was never opened';

CREATE INDEX ended_seats_recused ON ended_seats (draw_id) WHERE recused_at IS NOT NULL;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ended_panels
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_a_decision();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ended_seats
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_a_decision();

CREATE FUNCTION refuse_leaving_a_draw() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.opened_at IS NULL AND EXISTS (
        SELECT FROM ended_panels e WHERE e.case_id = OLD.case_id AND e.draw_id = OLD.draw_id
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'a case leaves its draw only when its panel has ended and no sheet was opened';
END $$;

CREATE TRIGGER drawn BEFORE DELETE ON draw_cases
    FOR EACH ROW EXECUTE FUNCTION refuse_leaving_a_draw();

-- A sheet that was handed in goes with its panel, into ended_seats.
CREATE OR REPLACE FUNCTION refuse_changing_a_sheet() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT FROM ended_panels JOIN draw_cases d USING (case_id, draw_id)
        WHERE d.case_id = OLD.case_id AND d.opened_at IS NULL
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'a sheet that was handed in stays as it is';
END $$;
