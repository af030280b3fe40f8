"""A pharmacy's years, put into the tables as the owner: products, lots, codes, and a ledger that fits its balances."""

from __future__ import annotations

PRODUCTS, LOTS_EACH, MOVEMENTS, YEARS = 5_000, 6, 1_000_000, 3
CODED = 900  # Products whose packs carry codes.

NAMES = """
select array['阿莫西林胶囊','阿司匹林肠溶片','阿托伐他汀钙片','板蓝根颗粒','苯磺酸氨氯地平片','布洛芬缓释胶囊','复方丹参滴丸','连花清瘟颗粒','氯雷他定片','蒙脱石散','瑞舒伐他汀钙片','盐酸二甲双胍片']
"""
STATEMENTS = (
    f"""
    insert into product (tenant_id, code, generic_name, spec, maker, national_code, barcode, pack_unit, base_unit, pack_size, rx_class, trace_required,
        initials, pinyin, search, digest, insurance_class, approval_number)
    select %(t)s, 'P' || lpad(n::text, 6, '0'), ({NAMES})[1 + n %% 12] || n, '0.25g×24粒', '试药厂' || n %% 300, 'XB' || lpad(n::text, 18, '0'), '69' || lpad(n::text, 11, '0'), '盒', '粒', 24,
        'OTC_B', n < {CODED}, 'yp' || n, 'yaopin' || chr(97 + n %% 26) || n,
        'yaopin' || n || ' yp' || n || ' ' || ({NAMES})[1 + n %% 12] || n || ' p' || lpad(n::text, 6, '0') || ' 69' || lpad(n::text, 11, '0') || ' 0.25g×24粒 试药厂 国药准字h' || 10000000 + n, 'x', 'A', '国药准字H' || 10000000 + n
    from generate_series(0, {PRODUCTS} - 1) n
    """,
    "insert into product_price (tenant_id, product_id, pack_price, from_at, staff_id, reason) select tenant_id, id, 12.5, now() - interval '3 years', %(s)s, 'bench' from product where tenant_id = %(t)s",
    # Of each product six lots of the years; the two youngest still lie here.
    f"""
    insert into lot (tenant_id, facility_id, product_id, lot_number, expires_on, cost_price, hold)
    select tenant_id, %(f)s, id, 'L' || k || lpad((id %% 100000)::text, 5, '0'), current_date + (k * 120 - 430 + (id * 7 %% 300))::int, 8.5, case when id %% 997 = 0 and k = 6 then 'frozen' end
    from product cross join generate_series(1, {LOTS_EACH}) k where tenant_id = %(t)s
    """,
    """
    insert into lot_balance (tenant_id, lot_id, zone, facility_id, product_id, expires_on, on_hand)
    select tenant_id, id, case when product_id %% 50 = 0 then 'COLD' else 'SALEABLE' end, facility_id, product_id, expires_on,
        case when lot_number like 'L5%%' and product_id %% 3 > 0 or lot_number like 'L6%%' and product_id %% 40 > 0 then 24 * (1 + product_id %% 90) else 0 end
    from lot where tenant_id = %(t)s
    """,
    """
    insert into product_shelf (tenant_id, facility_id, product_id, shelf, least, most, staff_id, changed_at)
    select tenant_id, %(f)s, id, chr(65 + (id %% 8)::int) || lpad((id / 8 %% 40)::text, 2, '0') || '-' || 1 + id %% 4, 24 * (id %% 12), 24 * 100, %(s)s, now()
    from product where tenant_id = %(t)s
    """,
    # Three years of a busy counter: mostly sales, in the order of time, every lot in its years.
    f"""
    insert into stock_movement (tenant_id, facility_id, lot_id, zone, product_id, kind, quantity, balance, document_id, line_no, staff_id, moved_at)
    select %(t)s, %(f)s, l.ids[1 + n %% array_length(l.ids, 1)], 'SALEABLE', l.product_id, k.kind, case when k.kind in ('SA', 'DM', 'CO', 'TO') then -24 else 24 end, 24 * 100, gen_random_uuid(), 1, %(s)s,
        now() - interval '{YEARS} years' + n * (interval '{YEARS} years' / {MOVEMENTS})
    from generate_series(1, {MOVEMENTS}) n
    join (select row_number() over (order by product_id) as place, product_id, array_agg(id) as ids from lot where tenant_id = %(t)s group by product_id) l
        on l.place = 1 + (n::bigint * 7919 + n / 13) %% {PRODUCTS}
    cross join lateral (select case when n %% 97 = 0 then 'DM' when n %% 89 = 0 then 'CO' when n %% 83 = 0 then 'TO' when n %% 19 = 0 then 'PI' when n %% 71 = 0 then 'SR' else 'SA' end as kind) k
    """,
    """
    insert into trace_code (tenant_id, code, facility_id, product_id, lot_id, state, remaining, zone)
    select l.tenant_id, '8' || lpad(l.tenant_id::text, 4, '0') || lpad(l.id::text, 8, '0') || lpad(k::text, 7, '0'), %(f)s, l.product_id, l.id, case when b.on_hand >= 24 * k then 'IN_STOCK' else 'SOLD' end, 24, b.zone
    from lot l join lot_balance b on b.tenant_id = l.tenant_id and b.lot_id = l.id join product p on p.tenant_id = l.tenant_id and p.id = l.product_id and p.trace_required cross join generate_series(1, 40) k
    where l.tenant_id = %(t)s
    """,
    """
    insert into trace_event (tenant_id, code, kind, quantity, document_id, line_no, facility_id, staff_id, at)
    select tenant_id, code, 'PI', 24, gen_random_uuid(), 1, facility_id, %(s)s, now() - interval '90 days' from trace_code where tenant_id = %(t)s
    """,
)


def fill(connection, pharmacy) -> None:
    """About a minute on a quiet machine; what autovacuum does within the first minutes is done at once."""
    keys = {"t": pharmacy.tenant_id, "f": pharmacy.facility_id, "s": pharmacy.clerk}
    for statement in STATEMENTS:
        connection.execute(statement, keys)
    connection.execute("vacuum analyze")
