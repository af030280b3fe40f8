"""Create the registry (institutions, insured persons, catalog, code claims) and the fund (policies, settlements)."""

from __future__ import annotations

from alembic import op

from migrations.helpers import force, isolate_center, open_to

revision = "0002"
down_revision = "0001"

# ---- registry ----------------------------------------------------------------------------------------------------

INSTITUTION = """
create table institution (
    code text not null,
    district text not null,
    name text not null,
    kind text not null,
    benefit_class text not null,
    secret_sealed bytea not null,
    agreement_from date not null,
    agreement_until date not null,
    suspended_until date,
    latitude numeric(8,5),
    longitude numeric(8,5),
    registered_at timestamptz not null default now(),
    constraint institution_pkey primary key (code),
    constraint institution_code_check check (code ~ '^[HP][0-9A-Z]{11}$'),
    constraint institution_district_check check (district ~ '^[0-9]{6}$'),
    constraint institution_kind_check check (kind in ('pharmacy', 'clinic', 'hospital')),
    constraint institution_class_check check (benefit_class in ('community', 'secondary', 'tertiary', 'pharmacy')),
    constraint institution_agreement_check check (agreement_from <= agreement_until)
)
"""

PARAMETER = """
create table parameter (
    id bigint generated always as identity,
    scope text not null,
    name text not null,
    value text not null,
    valid_from date not null,
    valid_until date,
    constraint parameter_pkey primary key (id),
    constraint parameter_once exclude using gist (
        scope with =, name with =, daterange(valid_from, valid_until, '[]') with &&
    )
)
"""

PERSON = """
create table person (
    psn_no text not null,
    district text not null,
    name text not null,
    cert_type text not null,
    certno_sealed bytea not null,
    certno_lookup bytea not null,
    card_sealed bytea,
    card_lookup bytea,
    sex text not null,
    ethnicity text not null,
    born_on date not null,
    status text not null,
    status_reason text not null default '',
    watched boolean not null default false,
    constraint person_pkey primary key (psn_no),
    constraint person_certno_key unique (certno_lookup),
    constraint person_card_key unique (card_lookup),
    constraint person_sex_check check (sex in ('1', '2')),
    constraint person_status_check check (status in ('normal', 'lost', 'frozen', 'deceased'))
)
"""

COVERAGE = """
create table coverage (
    psn_no text not null,
    insutype text not null,
    valid_from date not null,
    valid_until date,
    district text not null,
    person_class text not null,
    psn_type text not null,
    status text not null,
    civil_servant boolean not null default false,
    employer text not null default '',
    constraint coverage_pkey primary key (psn_no, insutype, valid_from),
    constraint coverage_person_fkey foreign key (psn_no) references person (psn_no),
    constraint coverage_class_check check (person_class in ('in_service', 'retiree', 'resident')),
    constraint coverage_status_check check (status in ('normal', 'arrears', 'stopped'))
)
"""

ENTITLEMENT = """
create table entitlement (
    id bigint generated always as identity,
    psn_no text not null,
    district text not null,
    kind text not null,
    detail text not null default '',
    valid_from date not null,
    valid_until date,
    constraint entitlement_pkey primary key (id),
    constraint entitlement_person_fkey foreign key (psn_no) references person (psn_no),
    constraint entitlement_kind_check check (kind in ('chronic', 'low_income', 'family_doctor', 'civil_servant'))
)
"""

ACCOUNT = """
create table account (
    psn_no text not null,
    district text not null,
    current_fen bigint not null default 0,
    prior_fen bigint not null default 0,
    mutual_fen bigint not null default 0,
    constraint account_pkey primary key (psn_no),
    constraint account_person_fkey foreign key (psn_no) references person (psn_no),
    constraint account_never_below_zero check (current_fen >= 0 and prior_fen >= 0 and mutual_fen >= 0)
) with (fillfactor = 70)
"""

CATALOG_ITEM = """
create table catalog_item (
    code text not null,
    valid_from date not null,
    valid_until date,
    name text not null,
    kind text not null default 'drug',
    grade text not null,
    selfpay integer not null,
    ceiling numeric(16,6),
    prescription boolean not null default false,
    restriction text not null default '',
    sex_limit text,
    age_from integer,
    age_to integer,
    diseases jsonb not null default '[]',
    constraint catalog_item_pkey primary key (code, valid_from),
    constraint catalog_item_once exclude using gist (code with =, daterange(valid_from, valid_until, '[]') with &&),
    constraint catalog_item_grade_check check (grade in ('A', 'B', 'C')),
    constraint catalog_item_selfpay_check check (selfpay between 0 and 10000),
    constraint catalog_item_ceiling_check check (ceiling > 0)
)
"""

# Every sale of a trace code that the center hears of, insured or not. One of them holds the code: the first.
CODE_CLAIM = """
create table code_claim (
    id bigint generated always as identity,
    code text not null,
    institution_code text not null,
    district text not null,
    source text not null,
    document text not null,
    line text not null,
    split boolean not null,
    holds boolean not null,
    duplicate boolean not null,
    claimed_at timestamptz not null,
    released_at timestamptz,
    constraint code_claim_pkey primary key (id),
    constraint code_claim_source_check check (source in ('settlement', 'fact')),
    constraint code_claim_duplicate_check check (not (holds and duplicate))
)
"""

SIGN_ON = """
create table sign_on (
    sign_no text not null,
    institution_code text not null,
    district text not null,
    operator text not null,
    signed_on date not null,
    signed_on_at timestamptz not null,
    signed_off_at timestamptz,
    constraint sign_on_pkey primary key (sign_no),
    constraint sign_on_day_key unique (institution_code, operator, signed_on)
)
"""

ECERT = (
    """
create table ecert_code (
    lookup bytea not null,
    psn_no text not null,
    issued_at timestamptz not null,
    expires_at timestamptz not null,
    exchanged_at timestamptz,
    constraint ecert_code_pkey primary key (lookup),
    constraint ecert_code_person_fkey foreign key (psn_no) references person (psn_no)
)
""",
    """
create table ecert_token (
    lookup bytea not null,
    psn_no text not null,
    institution_code text not null,
    issued_at timestamptz not null,
    expires_at timestamptz not null,
    constraint ecert_token_pkey primary key (lookup),
    constraint ecert_token_person_fkey foreign key (psn_no) references person (psn_no)
)
""",
    """
create table ecert_use (
    lookup bytea not null,
    setl_id text not null,
    used_at timestamptz not null,
    constraint ecert_use_pkey primary key (lookup)
)
""",
)

# ---- fund --------------------------------------------------------------------------------------------------------

BENEFIT_POLICY = """
create table benefit_policy (
    id bigint generated always as identity,
    version text not null,
    name text not null,
    area text not null,
    insutype text not null,
    person_class text not null,
    benefit_class text not null,
    valid_from date not null,
    valid_until date,
    segments jsonb not null,
    constraint benefit_policy_pkey primary key (id),
    constraint benefit_policy_once exclude using gist (
        area with =, insutype with =, person_class with =, benefit_class with =,
        daterange(valid_from, valid_until, '[]') with &&
    )
)
"""

AID_POLICY = """
create table aid_policy (
    id bigint generated always as identity,
    version text not null,
    name text not null,
    area text not null,
    entitlement text not null,
    position integer not null,
    valid_from date not null,
    valid_until date,
    segment jsonb not null,
    constraint aid_policy_pkey primary key (id),
    constraint aid_policy_once exclude using gist (
        area with =, entitlement with =, daterange(valid_from, valid_until, '[]') with &&
    )
)
"""

PERSON_YEAR = """
create table person_year (
    psn_no text not null,
    insutype text not null,
    year integer not null,
    district text not null,
    deductible_fen bigint not null default 0,
    inscope_fen bigint not null default 0,
    aid_burden_fen bigint not null default 0,
    hifp_fen bigint not null default 0,
    hifob_fen bigint not null default 0,
    cvlserv_fen bigint not null default 0,
    hifes_fen bigint not null default 0,
    hifmi_fen bigint not null default 0,
    maf_fen bigint not null default 0,
    oth_fen bigint not null default 0,
    constraint person_year_pkey primary key (psn_no, insutype, year),
    constraint person_year_person_fkey foreign key (psn_no) references person (psn_no),
    constraint person_year_never_below_zero check (
        deductible_fen >= 0 and inscope_fen >= 0 and aid_burden_fen >= 0 and hifp_fen >= 0 and hifob_fen >= 0
        and cvlserv_fen >= 0 and hifes_fen >= 0 and hifmi_fen >= 0 and maf_fen >= 0 and oth_fen >= 0
    )
) with (fillfactor = 70)
"""

# A settling message is written down before anything else; its twin waits here and gets the stored answer.
MESSAGE = """
create table message (
    institution_code text not null,
    msgid text not null,
    district text not null,
    infno text not null,
    digest bytea not null,
    state text not null default 'arrived',
    setl_id text,
    arrived_at timestamptz not null,
    answer bytea,
    constraint message_pkey primary key (institution_code, msgid),
    constraint message_state_check check (state in ('arrived', 'accepted', 'refused', 'tombstone', 'reversed'))
) with (fillfactor = 60)
"""

SETTLEMENT = """
create table settlement (
    setl_id text not null,
    mdtrt_id text not null,
    institution_code text not null,
    district text not null,
    msgid text not null,
    infno text not null,
    reverses_setl_id text,
    replaces_setl_id text,
    psn_no text not null,
    insutype text not null,
    year integer not null,
    person_class text not null,
    psn_type text not null,
    civil_servant boolean not null,
    cert_type text not null,
    med_type text not null,
    disease text not null default '',
    operator text not null,
    operator_name text not null,
    terminal text not null,
    credential text not null,
    agent_lookup bytea,
    agent_sealed bytea,
    settled_at timestamptz not null,
    settled_on date not null,
    policy_on date not null,
    policy_id bigint,
    ratio integer not null,
    total_fen bigint not null,
    full_fen bigint not null,
    over_fen bigint not null,
    pre_fen bigint not null,
    inscope_fen bigint not null,
    unpooled_fen bigint not null,
    account_segment_fen bigint not null,
    deductible_fen bigint not null,
    shared_fen bigint not null,
    copay_fen bigint not null,
    over_cap_fen bigint not null,
    aid_burden_fen bigint not null,
    hifp_fen bigint not null,
    hifob_fen bigint not null,
    cvlserv_fen bigint not null,
    hifes_fen bigint not null,
    hifmi_fen bigint not null,
    maf_fen bigint not null,
    oth_fen bigint not null,
    fund_fen bigint not null,
    person_fen bigint not null,
    current_fen bigint not null,
    prior_fen bigint not null,
    mutual_fen bigint not null,
    cash_fen bigint not null,
    balance_fen bigint not null,
    snapshot jsonb not null,
    identity jsonb not null,
    constraint settlement_pkey primary key (setl_id),
    constraint settlement_policy_fkey foreign key (policy_id) references benefit_policy (id),
    constraint settlement_person_fkey foreign key (psn_no) references person (psn_no),
    constraint settlement_reverses_fkey foreign key (reverses_setl_id) references settlement (setl_id),
    constraint settlement_replaces_fkey foreign key (replaces_setl_id) references settlement (setl_id),
    constraint settlement_parts_check check (total_fen = full_fen + over_fen + pre_fen + inscope_fen),
    constraint settlement_fund_check check (
        fund_fen = hifp_fen + hifob_fen + cvlserv_fen + hifes_fen + hifmi_fen + maf_fen + oth_fen
    ),
    constraint settlement_shares_check check (
        total_fen = fund_fen + person_fen and person_fen = current_fen + prior_fen + mutual_fen + cash_fen
    )
)
"""

SETTLEMENT_LINE = """
create table settlement_line (
    setl_id text not null,
    position integer not null,
    district text not null,
    number text not null,
    code text not null,
    own_code text not null,
    name text not null,
    price numeric(16,6) not null,
    quantity numeric(16,4) not null,
    grade text not null,
    selfpay integer not null,
    ceiling numeric(16,6),
    pooled boolean not null,
    rxno text not null,
    amount_fen bigint not null,
    full_fen bigint not null,
    over_fen bigint not null,
    pre_fen bigint not null,
    inscope_fen bigint not null,
    fund_fen bigint not null,
    deductible_fen bigint not null,
    constraint settlement_line_pkey primary key (setl_id, position),
    constraint settlement_line_settlement_fkey foreign key (setl_id) references settlement (setl_id),
    constraint settlement_line_parts_check check (amount_fen = full_fen + over_fen + pre_fen + inscope_fen)
)
"""

ACCOUNT_ENTRY = """
create table account_entry (
    id bigint generated always as identity,
    psn_no text not null,
    district text not null,
    pot text not null,
    amount_fen bigint not null,
    balance_fen bigint not null,
    reason text not null,
    setl_id text,
    entered_at timestamptz not null,
    constraint account_entry_pkey primary key (id),
    constraint account_entry_account_fkey foreign key (psn_no) references account (psn_no),
    constraint account_entry_settlement_fkey foreign key (setl_id) references settlement (setl_id),
    constraint account_entry_pot_check check (pot in ('current', 'prior', 'mutual')),
    constraint account_entry_reason_check check (reason in ('credited', 'settled', 'reversed')),
    constraint account_entry_moves_something check (amount_fen <> 0),
    constraint account_entry_never_below_zero check (balance_fen >= 0)
)
"""

# ---- audit -------------------------------------------------------------------------------------------------------

SIGNAL_WEIGHT = """
create table signal_weight (
    signal text not null,
    valid_from date not null,
    valid_until date,
    weight integer not null,
    constraint signal_weight_pkey primary key (signal, valid_from),
    constraint signal_weight_once exclude using gist (signal with =, daterange(valid_from, valid_until, '[]') with &&)
)
"""

INDEXES = (
    "create index coverage_class_idx on coverage (insutype, person_class)",
    "create index entitlement_person_idx on entitlement (psn_no)",
    "create unique index code_claim_holder on code_claim (code) where holds and released_at is null",
    "create index code_claim_code_idx on code_claim (code, id)",
    "create index code_claim_document_idx on code_claim (document)",
    "create index code_claim_duplicate_idx on code_claim (district, id) where duplicate",
    "create unique index settlement_reversed_once on settlement (reverses_setl_id) where reverses_setl_id is not null",
    "create index settlement_replaces_idx on settlement (replaces_setl_id) where replaces_setl_id is not null",
    "create index settlement_person_idx on settlement (psn_no, settled_at)",
    "create index settlement_institution_idx on settlement (institution_code, settled_at)",
    "create index settlement_agent_idx on settlement (agent_lookup, settled_at) where agent_lookup is not null",
    "create index account_entry_person_idx on account_entry (psn_no, id)",
    "create index account_entry_settlement_idx on account_entry (setl_id)",
)

SEEDS = (
    """
    insert into parameter (scope, name, value, valid_from) values
        ('*', 'duplicate_code', 'flag', '2020-01-01'),
        ('*', 'identity_gate', 'prompt', '2020-01-01'),
        ('*', 'token_seconds', '600', '2020-01-01')
    """,
    """
    insert into signal_weight (signal, valid_from, weight) values
        ('drug_contrary_to_person', '2020-01-01', 40),
        ('many_institutions_today', '2020-01-01', 25),
        ('impossible_speed', '2020-01-01', 35),
        ('card_number_typed', '2020-01-01', 10),
        ('many_cards_at_terminal', '2020-01-01', 25),
        ('first_use_large_amount', '2020-01-01', 10),
        ('unusual_hour', '2020-01-01', 5),
        ('outside_disease_profile', '2020-01-01', 10),
        ('agent_of_several', '2020-01-01', 15),
        ('watched_person', '2020-01-01', 30),
        ('face_confirmed', '2020-01-01', -30),
        ('own_family_doctor', '2020-01-01', -10)
    """,
)

TABLES = (
    INSTITUTION, PARAMETER, PERSON, COVERAGE, ENTITLEMENT, ACCOUNT, CATALOG_ITEM, CODE_CLAIM, SIGN_ON, *ECERT,
    BENEFIT_POLICY, AID_POLICY, PERSON_YEAR, MESSAGE, SETTLEMENT, SETTLEMENT_LINE, ACCOUNT_ENTRY, SIGNAL_WEIGHT,
)  # fmt: skip

# Of a district: what belongs to an institution or a person there. Of everybody: what is published.
OF_DISTRICT = (
    "institution", "person", "coverage", "entitlement", "account", "code_claim", "sign_on", "person_year", "message",
    "settlement", "settlement_line", "account_entry",
)  # fmt: skip
PUBLISHED = ("parameter", "catalog_item", "benefit_policy", "aid_policy", "signal_weight")
CREDENTIALS = ("ecert_code", "ecert_token", "ecert_use")

GRANTS = (
    "grant select, insert on institution, person, coverage, entitlement, account, person_year, account_entry to center_app",
    "grant update (suspended_until, agreement_until, secret_sealed) on institution to center_app",
    "grant update (status, status_reason, watched) on person to center_app",
    "grant update (valid_until, status) on coverage to center_app",
    "grant update (valid_until) on entitlement, parameter, catalog_item, benefit_policy, aid_policy, signal_weight to center_app",
    "grant update (current_fen, prior_fen, mutual_fen) on account to center_app",
    "grant select, insert on parameter, catalog_item, benefit_policy, aid_policy, signal_weight to center_app",
    "grant select, insert on ecert_code to center_app",
    "grant select on code_claim, sign_on, message, settlement, settlement_line to center_app",
    # The interface: reads the registry, writes settlements; edits nothing but balances, counters and its own answers.
    (
        "grant select on institution, parameter, person, coverage, entitlement, catalog_item, benefit_policy, aid_policy,"
        " signal_weight to center_interface"
    ),
    "grant select, insert on sign_on, ecert_token, ecert_use, message, settlement, settlement_line to center_interface",
    "grant select, insert on account_entry, code_claim, person_year to center_interface",
    "grant select on account, ecert_code to center_interface",
    "grant update (signed_off_at) on sign_on to center_interface",
    "grant update (exchanged_at) on ecert_code to center_interface",
    "grant update (answer, state, setl_id) on message to center_interface",
    "grant update (released_at) on code_claim to center_interface",
    "grant update (current_fen, prior_fen, mutual_fen) on account to center_interface",
    (
        "grant update (deductible_fen, inscope_fen, aid_burden_fen, hifp_fen, hifob_fen, cvlserv_fen, hifes_fen, hifmi_fen,"
        " maf_fen, oth_fen) on person_year to center_interface"
    ),
    # The inbox: knows who may send, and claims the codes of cash sales.
    "grant select on institution, settlement to center_inbox",
    "grant select, insert on code_claim to center_inbox",
    "grant update (released_at) on code_claim to center_inbox",
)


def upgrade() -> None:
    for statement in (*TABLES, *INDEXES):
        op.execute(statement)
    for table in OF_DISTRICT:
        for statement in (*isolate_center(table), *open_to(table, "center_interface")):
            op.execute(statement)
    for table in PUBLISHED:
        for statement in (
            *force(table, "center_owner"),
            *open_to(table, "center_app"),
            *open_to(table, "center_interface"),
        ):
            op.execute(statement)
    for table in CREDENTIALS:
        for statement in (*force(table, "center_owner"), *open_to(table, "center_interface")):
            op.execute(statement)
    for statement in (*open_to("ecert_code", "center_app"), *_of_inbox(), *GRANTS, *SEEDS):
        op.execute(statement)


def _of_inbox() -> list[str]:
    return [
        statement
        for table in ("institution", "settlement", "code_claim")
        for statement in open_to(table, "center_inbox")
    ]


def downgrade() -> None:
    for table in (
        "signal_weight", "account_entry", "settlement_line", "settlement", "message", "person_year", "aid_policy",
        "benefit_policy", "ecert_use", "ecert_token", "ecert_code", "sign_on", "code_claim", "catalog_item", "account",
        "entitlement", "coverage", "person", "parameter", "institution",
    ):  # fmt: skip
        op.execute(f"drop table {table}")
