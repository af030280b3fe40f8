"""What the guards know by name, each with its reason. Whatever is not named here must follow the rule."""

WINGS = ("facility", "center")

# ---- whose data it is ----------------------------------------------------------------------------------------------

TENANT_ONLY = (
    "(tenant_id = ( SELECT (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::bigint AS \"nullif\"))"
)
DISTRICT_ONLY = (
    "(district ~~ (( SELECT NULLIF(current_setting('app.district'::text, true), ''::text) AS \"nullif\") || '%'::text))"
)
# What was sent to somebody in an officer's district, beside what came from there: these tables name both districts.
RECEIVED = ("referral", "referral_event")
RECEIVED_ONLY = DISTRICT_ONLY.replace("(district ", "(target_district ")

# Tables that belong to no tenant and no district.
OF_NOBODY = {
    "facility": {
        "sign_in_guard": "counts failures under keyed hashes before anybody is known",
        "relay_heartbeat": "one row a relay process: counts, no data",
        "worker_heartbeat": "one row a worker: counts, no data",
        "diagnosis_term": "the national list of diagnoses, published for everybody; only the owner writes it",
    },
    "center": {
        "sign_in_guard": "counts failures under keyed hashes before anybody is known",
        "parameter": "published for everybody",
        "catalog_item": "published for everybody",
        "benefit_policy": "published for everybody",
        "aid_policy": "published for everybody",
        "signal_weight": "published for everybody",
        "ecert_code": "keyed hashes; presented at any institution of the country",
        "ecert_token": "keyed hashes; presented at any institution of the country",
        "ecert_use": "keyed hashes; presented at any institution of the country",
        "trace_code": "one row a code, locked by whoever judges it; no screen reads it",
    },
}
MIGRATION_TABLE = "migration"  # Holds one revision number; nobody but the owner may touch it.

# Policies that are neither the owner's nor the tenant's nor the district's: (table, policy, roles, command) -> why.
OPEN_POLICIES = {
    "facility": {
        ("facility", "facility_relay_all", "facility_relay", "ALL"): "the relay serves every facility's stream",
        ("outbox", "facility_relay_all", "facility_relay", "ALL"): "the relay serves every facility's stream",
        ("stream_epoch", "facility_relay_all", "facility_relay", "ALL"): "the relay serves every facility's stream",
        ("news_head", "facility_relay_all", "facility_relay", "ALL"): "the puller asks for every facility's news",
        ("stream_head", "facility_relay_all", "facility_relay", "ALL"): "the relay serves every facility's stream",
        ("facility", "sign_in", "facility_app", "SELECT"): "the door: one row by app.login",
        ("organization", "sign_in", "facility_app", "SELECT"): "the door: one row by app.login",
        ("staff", "sign_in", "facility_app", "SELECT"): "the door: the rows of one name by app.login",
        ("sign_in_guard", "facility_app_all", "facility_app", "ALL"): "counts failures before anybody is known",
        ("relay_heartbeat", "facility_relay_all", "facility_relay", "ALL"): "the relay says that it lives",
        ("relay_heartbeat", "facility_app_reads", "facility_app", "SELECT"): "health reads it",
        ("relay_heartbeat", "facility_worker_reads", "facility_worker", "SELECT"): "health reads it",
        ("worker_heartbeat", "facility_worker_all", "facility_worker", "ALL"): "the worker says that it lives",
        ("worker_heartbeat", "facility_app_all", "facility_app", "ALL"): "health reads it (granted: select)",
        ("diagnosis_term", "facility_app_reads", "facility_app", "SELECT"): "a list published for everybody",
    },
    "center": {
        ("officer", "sign_in", "center_app", "SELECT"): "the door: the rows of one name by app.login",
        ("sign_in_guard", "center_app_all", "center_app", "ALL"): "counts failures before anybody is known",
        ("ecert_code", "center_app_all", "center_app", "ALL"): "the demo page issues codes",
        **{
            (table, "center_app_all", "center_app", "ALL"): "published for everybody"
            for table in ("parameter", "catalog_item", "benefit_policy", "aid_policy", "signal_weight")
        },
        **{
            (table, "center_interface_all", "center_interface", "ALL"): "a national message may concern any person and place"
            for table in (
                "account", "account_entry", "aid_policy", "audit_trail", "benefit_policy", "catalog_item", "code_claim", "coverage",
                "ecert_code", "ecert_token", "ecert_use", "entitlement", "institution", "message", "parameter", "person", "person_year",
                "settlement", "settlement_line", "sign_on", "signal_weight", "practitioner", "visit", "visit_diagnosis", "visit_line",
                "warning", "warning_answer", "history_look", "news", "news_head",
                "eprescription", "eprescription_line", "eprescription_event", "eprescription_miss", "referral", "referral_event",
            )
        },
        **{
            (table, "center_inbox_all", "center_inbox", "ALL"): "facts arrive from every institution"
            for table in (
                "alert", "audit_trail", "code_claim", "inbox_epoch", "inbox_fact", "inbox_stream", "institution", "movement",
                "movement_line", "news", "news_head", "recall_answer", "settlement", "trace_code", "trace_event",
                "eprescription", "eprescription_line", "eprescription_event",
            )
        },
    },
}  # fmt: skip

# What the door's policies may say: nothing without app.login, and never an answer that ignores it.
DOOR_ASKS = "current_setting('app.login'::text, true)"

# ---- what may be written -------------------------------------------------------------------------------------------

# Rows that are written once: nobody but the owner may change or remove them, except the columns named.
APPEND_ONLY = {
    "facility": {
        "visit_diagnosis": (), "visit_event": (), "visit_record": (), "clinic_order_line": (), "reminder_answer": (), "review_event": (), "bill_line": ("handed_over", "came_back", "refunded"), "bill_pick": ("held", "quantity"), "bill_refund_line": (), "dispensing": (), "dispensing_line": (), "dispensing_pause": (), "dispensing_return": (), "dispensing_return_line": (), "execution": (), "skin_test": (), "substitution": (), "substitution_answer": (),
        "attendance": (), "audit_trail": (), "center_sign_in": (), "drawer_movement": (), "label_print": (), "lot_change": (), "news": (), "outbox": (), "parameter": (), "prescription_line": (), "price_change": (), "price_change_line": (), "product_price": (), "recall_call": (),
        "code_pack": (), "code_prefix": (), "delivery_line": (),
        "receipt_print": (), "refund_code": (), "refund_line": (), "sale_code": (), "sale_line": (), "sale_pick": (),
        "session_end": (), "stock_document_code": (), "stock_document_line": (), "stock_movement": (), "stock_receipt": (), "stock_receipt_line": (), "stream_epoch": (), "tender": (),
        "buyer_check": (), "special_sale_line": (), "split_check": (), "sale_discount": (), "sale_invoice": (),
        "trace_event": (), "transfer_claim": (),
        "count_entry": (), "count_code": (),
        "climate_action": (), "climate_reading": (), "keeping_check": (),
        # Suppliers: what is asked and booked stands; a paper is replaced and a match ended; a decision is written beside the asking.
        "approval_request": (), "supplier_entry": (), "supplier_payment": (), "approval": ("state", "decided_by", "decided_at", "reason"),
        "licence": ("ended_at", "ended_by", "ended_why"), "purchase_invoice_receipt": ("ended_at",),
        "diagnosis_term": (),
        "care_note": (), "care_package": (), "care_plan": (), "charge_package": (), "visit_fee": (),
    },
    "center": {
        "account_entry": (), "audit_trail": (), "ecert_token": (), "ecert_use": (), "news": (), "notice": (), "notice_sent": (), "recall_sent": (), "session_end": (), "settlement": (),
        "settlement_line": (), "history_look": (), "warning": (), "warning_answer": (),
        "eprescription_line": ("dispensed",), "eprescription_event": (), "eprescription_miss": (), "referral_event": (),
        # Which epoch a restore left, and which facts it lost, is learnt later; the facts themselves stand.
        "inbox_epoch": ("left_number", "left_hash"), "inbox_fact": ("orphaned_at",),
        "recall_answer": ("orphaned",), "movement": ("orphaned",), "movement_line": ("orphaned",), "trace_event": ("orphaned",),
    },
}  # fmt: skip

# Rows that have a state, and why. A table stands in one of the two lists.
STATEFUL = {
    "facility": {
        "allergy": "may be withdrawn",
        "bill": "open, asked, settled, cancelled, refunded",
        "bill_refund": "asked, reversed, refunded, refused",
        "care_contract": "may end",
        "care_enrolment": "expected next, may end",
        "care_service": "may be withdrawn",
        "center_warning": "stands or is mended, is answered, the answer is told",
        "formula": "may be taken off",
        "clinic_order": "signed, reviewed, charged, dispensed",
        "consulting_room": "its name changes, it may close",
        "department": "its name changes, it may close",
        "outflow": "asked, out, being made void, void, refused",
        "referral": "asked, refused, sent, accepted, declined, answered, withdrawn",
        "patient": "a file changes, may be merged",
        "duty": "may end",
        "practitioner": "rights change, may be suspended",
        "visit": "booked, waiting, in visit, signed, closed",
        "wall_screen": "its address may be taken back",
        "visit_draft": "a draft",
        "basket": "a draft",
        "climate_place": "limits change, it may be closed",
        "column_mapping": "remembered for the next file",
        "delivery": "a draft, then accepted or given up",
        "diagnosis_use": "counts how often a doctor signed it",
        "facility": "its papers change",
        "herb_drawer": "another herb or lot stands in it",
        "identification": "a person confirms or stops it",
        "import_batch": "goes from uploaded to taken",
        "import_row": "judged again and again until taken",
        "insurance_attempt": "asked, recovering, accepted, refused",
        "lot": "may be frozen or recalled",
        "lot_balance": "the sum of its movements",
        "news_head": "counts numbers",
        "organization": "its name changes, it may close",
        "prescription": "waits, is passed, is used",
        "product": "its description changes",
        "product_shelf": "shelf and limits change",
        "product_approval": "approved, due again",
        "purchase_invoice": "noted, matched, paid, void",
        "purchase_order": "a draft, placed, partly received, closed",
        "purchase_order_line": "counts what came",
        "recall": "runs, then is closed",
        "recall_place": "seen and reported at a facility",
        "recall_target": "ends with its recall",
        "refund": "asked, reversed, refunded",
        "relay_heartbeat": "says that somebody lives",
        "sale": "asked, settled, refused",
        "shift": "opened, closed",
        "sign_in_guard": "counts failures",
        "staff": "passwords, names, disabling",
        "staff_role": "may be ended",
        "count_line": "judged, explained, finished",
        "stock_count": "opened, closed, approved",
        "stock_document": "asked, posted, refused",
        "stream_head": "counts numbers",
        "supplier": "waits, is approved, suspended; its file changes",
        "supplier_account": "the sum of its entries",
        "stock_import": "goes from columns to done",
        "stock_import_row": "judged, then posted",
        "terminal": "registered, disabled",
        "trace_code": "in stock, reserved, sold",
        "transfer": "sent, received, claimed, closed",
        "transfer_code": "sent, received, found, back, lost",
        "transfer_draft": "a draft",
        "transfer_line": "what arrived and where the rest went",
        "worker_heartbeat": "says that somebody lives",
    },
    "center": {
        "account": "a balance, checked against its entries",
        "aid_policy": "may end",
        "alert": "may be cleared",
        "benefit_policy": "may end",
        "catalog_item": "may end",
        "code_claim": "may be released",
        "coverage": "may end, may fall into arrears",
        "ecert_code": "may be exchanged",
        "entitlement": "may end",
        "eprescription": "reviewed, locked, dispensed, closed, void",
        "inbox_stream": "counts numbers",
        "institution": "may be suspended",
        "message": "waits for its answer",
        "news_head": "counts numbers",
        "officer": "passwords, names, disabling",
        "parameter": "may end",
        "person": "lost, frozen, deceased",
        "person_year": "counts a year",
        "practitioner": "may be suspended",
        "recall": "asked, issued or refused, closed",
        "referral": "sent, accepted, declined, answered, withdrawn",
        "sign_in_guard": "counts failures",
        "sign_on": "may sign off",
        "signal_weight": "may end",
        "trace_code": "locked by a write of its own moment",
        "visit": "described, settled, cancelled",
        "visit_diagnosis": "corrected or made void",
        "visit_line": "uploaded, settled, cancelled",
    },
}

# Where the whole row may be written again: drafts, counts and remembered things, nothing that anybody signed.
MAY_REWRITE = {
    ("facility", "column_mapping"): "remembered for the next file",
    ("facility", "import_batch"): "a file on its way into the catalog",
    ("facility", "import_row"): "a file on its way into the catalog",
    ("facility", "product"): "a description; prices are rows of their own",
    ("facility", "relay_heartbeat"): "says that somebody lives",
    ("facility", "worker_heartbeat"): "says that somebody lives",
    ("facility", "sign_in_guard"): "counts failures",
    ("center", "inbox_stream"): "counts numbers",
    ("center", "sign_in_guard"): "counts failures",
}

# What an act must never be able to change on a document, whatever its state.
FIGURES = {
    "facility": {
        "visit": "number ticket visit_on patient_id department_id digest staff_id made_at",
        "clinic_order": "number kind doctor_id visit_id patient_id version signed_at doses",
        "bill": "number total_fen visit_id patient_id facility_id opened_digest opened_at staff_id",
        "bill_refund": "number refund_fen bill_id reason digest staff_id reversed_setl_id whole picks preview rest_batch rest_fen approver_id",
        "outflow": "order_id staff_id asked_at facility_id",
        "referral": "visit_id patient_id doctor_id target_code sealed digest valid_until urgent asked_at facility_id",
        "patient": "number registered_at registered_by digest",
        "care_contract": "patient_id package_id doctor_id from_on until_on digest staff_id",
        "care_enrolment": "patient_id plan_code begun_on digest staff_id made_at",
        "care_service": "contract_id item done_on visit_id note_id order_id staff_id",
        "allergy": "patient_id substance reaction severity noted_at noted_by",
        "sale": "total_fen receipt sold_on digest staff_id identification_id facility_id tendered",
        "refund": "refund_fen receipt digest staff_id sale_id facility_id reason",
        "insurance_attempt": "message_id digest sealed infno document_id asked_at deadline_at",
        "recall": "number level product lots codes reason issued_at deadline_at staff_id digest",
        "recall_place": "arrived_at held_lots held_quantity",
        "recall_target": "product_id lot_number",
        "shift": "float_fen opened_at opened_on staff_id",
        "prescription": "number patient_sealed prescriber issued_on staff_id",
        "identification": "person_hash sealed read_at staff_id credential",
        "stream_head": "stream epoch sealed_hash",
        "stock_count": "number digest scope products blind staff_id opened_at",
        "count_line": "lot_id zone book mark product_id",
        "purchase_order": "number staff_id made_at facility_id",
        "purchase_order_line": "order_id product_id packs price",
        "delivery": "supplier_id order_id staff_id facility_id made_at",
        "supplier": "entry_id digest code staff_id created_at",
        "purchase_invoice": "supplier_id number issued_on amount_fen tax_fen red digest staff_id",
        "news_head": "stream epoch",
    },
    "center": {
        "message": "digest infno institution_code msgid arrived_at",
        "news_head": "stream district epoch",
        "recall": "level product lots codes reason instructions asked_by asked_at",
        "code_claim": "code institution_code holds duplicate claimed_at",
        "visit": "psn_no institution_code number insutype registered_at doctor",
        "eprescription": "number code_lookup institution_code document digest patient_sealed doctor reviewer issued_on valid_until",
        "referral": "number institution_code target_code document digest patient_sealed doctor sent_at valid_until",
        "visit_line": "code price quantity amount_fen days number batch digest psn_no",
        "person": "certno_sealed certno_lookup psn_no",
        "ecert_code": "psn_no issued_at expires_at",
    },
}

# Where rows may go away at all.
MAY_DELETE = {
    ("facility", "visit_draft"): "signed: what it said is the record now",
    ("facility", "sign_in_guard"): "old counts are swept",
    ("facility", "product"): "undoing an import that nobody has used; foreign keys forbid the rest",
    ("facility", "import_row"): "a file judged anew",
    ("center", "sign_in_guard"): "old counts are swept",
}

# Functions that run with the owner's rights.
DEFINERS = {
    "facility": {
        "overdue_attempts": "the worker learns which attempts wait: ids, states and tenants only",
        "untold_warnings": "the worker learns where answers wait to be told: tenants and facilities only",
    },
    "center": {},
}

# ---- columns -------------------------------------------------------------------------------------------------------

# Columns whose name sounds like money and that are none.
NOT_MONEY = {
    "price_change_line.change_id": "a paper's key",
    "stock_movement.balance": "a quantity in base units",
    "settlement_line.selfpay": "a share in ten-thousandths",
    "catalog_item.selfpay": "a share in ten-thousandths",
    "product.selfpay_share": "a share",
    "import_batch.counts": "rows by kind",
}
# Unit prices: six places, as in the national interface.
PRICES = {
    "before_pack_price",
    "before_split_price",
    "price",
    "list_price",
    "pack_price",
    "split_price",
    "cost_price",
    "ceiling_price",
    "ceiling",
}
# Other decimal columns.
DECIMALS = {
    "settlement_line.quantity": "as the message said it",
    "visit_line.quantity": "as the message said it",
    "product.selfpay_share": "a share between 0 and 1",
    "institution.latitude": "a place",
    "institution.longitude": "a place",
}

# Columns that sound personal and are not a person's.
NOT_PERSONAL = {
    "facility.address": "an institution's address",
    "supplier.address": "a company's address",
    "audit_trail.address": "a network address of staff",
    "settlement.cert_type": "a dictionary's code",
    "person.cert_type": "a dictionary's code",
    "prescription.patient_shown": "masked",
    "eprescription.patient_shown": "masked",
    "referral.patient_shown": "masked",
}
