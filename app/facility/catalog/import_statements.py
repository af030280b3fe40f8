"""The set-based statements of a catalog import; each takes :batch_id and works on all rows of the file at once."""

from __future__ import annotations

from app.facility.catalog.actions import COLUMNS

MOST_NAMES = 3

# Fresh rows have no statistics, and guessing few the planner joins thousands of them one by one; hashing them is right
# for any number. Holds until the end of the transaction.
EXPECT_MANY = "select set_config('enable_nestloop', 'off', true)"

SHARED = """'[{"code": "national_code_shared"}]'"""
LATER = """'[{"code": "national_code_shared", "later": true}]'"""
# A row is taken when its verdict brings something and nobody decided against it.
TAKEN = f"""
    r.verdict in ('new', 'changed') and r.decision is distinct from 'skip'
    and not (b.options ->> 'duplicates' = 'first' and r.decision is null and r.problems @> cast({LATER} as jsonb))
"""
OF_BATCH = (
    "from import_row r join import_batch b on b.tenant_id = r.tenant_id and b.id = r.batch_id where b.id = :batch_id"
)

_TYPES = {
    "pack_size": "bigint",
    "expiry_warning_days": "integer",
    "selfpay_share": "numeric",
    "ceiling_price": "numeric",
    **dict.fromkeys(("split_allowed", "high_alert", "trace_required", "volume_purchase"), "boolean"),
}
_RECORD = (
    ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in (*COLUMNS, "state"))
    + ", pack_price numeric, split_price numeric"
)

# Brings in all new products of a file …
TAKE_NEW = f"""
    insert into product ({", ".join(COLUMNS)})
    select {", ".join(f"x.{name}" for name in COLUMNS)}
    from (select r.number, r.parsed {OF_BATCH} and r.verdict = 'new' and {TAKEN}) r
    cross join lateral jsonb_to_record(r.parsed -> 'final') as x ({_RECORD})
    order by r.number
"""
# … and remembers which row became which product; the own code is unique.
LINK_NEW = f"""
    update import_row t set product_id = p.id
    from import_batch b, product p
    where b.id = :batch_id and t.tenant_id = b.tenant_id and t.batch_id = b.id and p.tenant_id = t.tenant_id and p.code = t.code
      and {TAKEN.replace("r.", "t.")} and t.verdict = 'new'
"""
# Frees barcodes that move from one product to another, so that no two hold one for a moment.
FREE_BARCODES = f"""
    update product p set barcode = null
    from (select r.product_id {OF_BATCH} and r.verdict = 'changed' and r.changes ? 'barcode' and {TAKEN}) r
    where p.id = r.product_id
"""
SET_PRODUCTS = f"set {', '.join(f'{name} = x.{name}' for name in COLUMNS)}, state = x.state, changed_at = now()"
TAKE_CHANGED = f"""
    update product p {SET_PRODUCTS}
    from (select r.product_id, r.parsed {OF_BATCH} and r.verdict = 'changed' and {TAKEN}) r
    cross join lateral jsonb_to_record(r.parsed -> 'final') as x ({_RECORD})
    where p.id = r.product_id
"""
TAKE_PRICES = f"""
    insert into product_price (product_id, pack_price, split_price, from_at, staff_id, reason)
    select r.product_id, x.pack_price, x.split_price, now(), :staff_id, :reason
    from (
        select r.product_id, r.parsed {OF_BATCH} and r.product_id is not null and {TAKEN}
          and (r.verdict = 'new' or r.changes ?| array['pack_price', 'split_price'])
    ) r
    cross join lateral jsonb_to_record(r.parsed -> 'final') as x ({_RECORD})
    where x.pack_price is not null
"""
STOP_GONE = f"""
    update product p set state = 'stopped', changed_at = now()
    from (select r.product_id {OF_BATCH} and r.verdict = 'gone' and b.options ->> 'gone' = 'stop' and r.decision is distinct from 'skip') r
    where p.id = r.product_id and p.state = 'active'
"""
# What the preview was made from must still be so.
STALE = f"""
    select r.number, coalesce(p.generic_name, r.parsed -> 'final' ->> 'generic_name') as name
    {OF_BATCH.replace("where", "left join product p on p.tenant_id = r.tenant_id and p.id = r.product_id where")}
      and r.verdict = 'changed' and {TAKEN}
      and (p.id is null or p.digest <> r.before ->> 'digest' or p.state <> r.before ->> 'state')
    order by r.number limit {MOST_NAMES}
"""
UNDO_PRICES = f"""
    insert into product_price (product_id, pack_price, split_price, from_at, staff_id, reason)
    select r.product_id, x.pack_price, x.split_price, now(), :staff_id, :reason
    from (
        select r.product_id, r.before {OF_BATCH} and r.verdict = 'changed' and {TAKEN}
          and r.changes ?| array['pack_price', 'split_price']
    ) r
    cross join lateral jsonb_to_record(r.before) as x ({_RECORD})
    where x.pack_price is not null
"""
UNDO_CHANGED = TAKE_CHANGED.replace("r.parsed -> 'final'", "r.before").replace(
    "r.product_id, r.parsed", "r.product_id, r.before"
)
# Products that are no longer as this import left them: corrected, priced, stopped or resumed since.
TOUCHED = f"""
    select p.id, p.generic_name
    {OF_BATCH.replace("where", "join product p on p.tenant_id = r.tenant_id and p.id = r.product_id where")}
      and case r.verdict
        when 'gone' then b.options ->> 'gone' = 'stop' and r.decision is distinct from 'skip' and p.state <> 'stopped'
        else {TAKEN} and (
            p.digest <> r.parsed -> 'final' ->> 'digest' or p.state <> 'active'
            or (select (c.pack_price, c.split_price) from product_price c
                where c.tenant_id = p.tenant_id and c.product_id = p.id order by c.from_at desc, c.id desc limit 1)
               is distinct from (cast(r.parsed -> 'final' ->> 'pack_price' as numeric), cast(r.parsed -> 'final' ->> 'split_price' as numeric))
               and r.parsed -> 'final' ->> 'pack_price' is not null
        ) end
    order by p.id
"""
UNDO_GONE = f"""
    update product p set state = 'active', changed_at = now()
    from (select r.product_id {OF_BATCH} and r.verdict = 'gone' and b.options ->> 'gone' = 'stop' and r.decision is distinct from 'skip') r
    where p.id = r.product_id
"""
BROUGHT = f"select r.product_id as id, r.verdict, r.changes {OF_BATCH} and r.product_id is not null and {TAKEN} order by r.number"
CODELESS = f"""
    select r.number, r.parsed -> 'final' as final
    {OF_BATCH} and r.verdict = 'new' and r.parsed -> 'final' ->> 'code' = '' and {TAKEN}
    order by r.number
"""
SET_FINAL = """
    update import_row t set parsed = t.parsed || jsonb_build_object('final', x.final), code = x.final ->> 'code'
    from jsonb_to_recordset(cast(:rows as jsonb)) as x (n integer, final jsonb)
    where t.batch_id = :batch_id and t.number = x.n
"""
UNDECIDED = f"""
    select count(*) filter (where r.verdict = 'error' and b.options ->> 'errors' = 'ask') as errors,
           count(*) filter (where r.verdict in ('new', 'changed') and b.options ->> 'duplicates' = 'ask'
                            and r.problems @> cast({SHARED} as jsonb)) as duplicates
    {OF_BATCH} and r.decision is null
"""
WILL_TAKE = f"select count(*) {OF_BATCH} and {TAKEN}"
SET_PARSED = """
    update import_row t set parsed = x.parsed, problems = x.problems
    from jsonb_to_recordset(cast(:rows as jsonb)) as x (n integer, parsed jsonb, problems jsonb)
    where t.batch_id = :batch_id and t.number = x.n
"""
KEEP_ROWS = """
    insert into import_row (batch_id, number, raw)
    select :batch_id, x.n, x.raw from jsonb_to_recordset(cast(:rows as jsonb)) as x (n integer, raw jsonb)
"""
KEEP_BATCH = """
    insert into import_batch (id, file_name, digest, size_bytes, kind, encoding, sheet, header, header_row, signature,
        mapping, options, counts, row_count, state, staff_id)
    values (:id, :file_name, :digest, :size_bytes, :kind, :encoding, :sheet, cast(:header as jsonb), :header_row, :signature,
        cast(:mapping as jsonb), cast(:options as jsonb), cast(:counts as jsonb), :row_count, 'uploaded', :staff_id)
    on conflict (tenant_id, id) do nothing returning id
"""
REMEMBER_COLUMNS = """
    insert into column_mapping (signature, mapping, staff_id) values (:signature, cast(:mapping as jsonb), :staff_id)
    on conflict (tenant_id, signature) do update set mapping = excluded.mapping, staff_id = excluded.staff_id, saved_at = now()
"""
SET_VERDICTS = """
    update import_row t
    set verdict = x.verdict, problems = x.problems, changes = x.changes, product_id = x.product_id, before = x.before,
        code = nullif(x.final ->> 'code', ''), parsed = t.parsed || jsonb_build_object('final', x.final)
    from jsonb_to_recordset(cast(:rows as jsonb))
        as x (n integer, verdict text, problems jsonb, changes jsonb, product_id bigint, before jsonb, final jsonb)
    where t.batch_id = :batch_id and t.number = x.n
"""
ADD_GONE = """
    insert into import_row (batch_id, number, verdict, product_id, before)
    select :batch_id, x.n, 'gone', x.product_id, x.before
    from jsonb_to_recordset(cast(:rows as jsonb)) as x (n integer, product_id bigint, before jsonb)
"""
# What a changed product was, whole, beside the prices that the judge put there: what undoing goes back to.
KEEP_BEFORE = """
    update import_row t set before = to_jsonb(p) || t.before
    from product p
    where t.batch_id = :batch_id and t.verdict = 'changed' and p.id = t.product_id
"""
