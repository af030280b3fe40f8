"""Where the demo world plays and who works there; the password is everybody's."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "yangguang-2026"
CITY = "3302"


@dataclass(frozen=True)
class Place:
    """A facility of the demo."""

    organization: str
    code: str
    name: str
    district: str
    district_name: str
    kind: str
    latitude: str
    longitude: str
    people: tuple[tuple[str, str, str], ...]  # number, name, role


PLACES = (
    Place("YIHAO", "P33021200001", "一号药店", "330212", "鄞州区", "pharmacy", "29.8170", "121.5470",
          (("001", "王敏", "owner"), ("002", "李小红", "clerk"), ("003", "陈蓉", "pharmacist"))),
    Place("ERHAO", "H33020300021", "二号诊所", "330203", "海曙区", "clinic", "29.8590", "121.5510",
          (("001", "江海明", "owner"), ("002", "周丽", "clerk"), ("003", "何芳", "pharmacist"), ("004", "方志远", "doctor"),
           ("005", "林小燕", "nurse"), ("006", "孙悦", "pharmacist"))),
    Place("SANHAO", "P33020500031", "三号药店", "330205", "江北区", "pharmacy", "29.8880", "121.5590",
          (("001", "沈国良", "owner"), ("002", "黄小燕", "clerk"), ("003", "徐明", "pharmacist"))),
)  # fmt: skip
# The first pharmacy's second shop, and who works in both: goods go from one to the other.
BRANCH = Place("YIHAO", "P33021200002", "一号药店东裕店", "330212", "鄞州区", "pharmacy", "29.8080", "121.5660", (("004", "许双双", "clerk"),))  # fmt: skip
OFFICERS = (
    ("G01", "陈立", "officer"),
    ("G02", "林静", "auditor"),
    ("G03", "方远", "administrator"),
    ("G04", "董安", "security_admin"),
    ("G05", "夏清", "audit_admin"),
    ("G06", "周航", "officer"),  # A recall takes two.
)


def code_of(place: Place, position: int, pack: int) -> str:
    """The trace code of a demo pack: twenty digits that begin with 8, as real ones do."""
    return f"8{PLACES.index(place) + 1}{position:05d}{(position * 7919 + pack * 104729) % 10**6:06d}{pack:07d}"
