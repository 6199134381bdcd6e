"""OVAL of Azure Linux, shaped as Microsoft writes it; each definition comes with what it refers to."""

from collections.abc import Sequence

BELOW, UP_TO = "less than", "less than or equal"
_SPACES = (
    'xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-5" '
    'xmlns:oval="http://oval.mitre.org/XMLSchema/oval-common-5" '
    'xmlns:linux-def="http://oval.mitre.org/XMLSchema/oval-definitions-5#linux"'
)


def state(operation: str, version: str) -> str:
    return f'<linux-def:evr datatype="evr_string" operation="{operation}">{version}</linux-def:evr>'


def definition(
    number: str,
    *,
    packages: Sequence[str] = ("zlib",),
    states: Sequence[str] = (state(BELOW, "0:1.3.1-1.azl3"),),
    advised: str = "2024-07-23T22:05:39Z",
    patchable: str = "true",
    operator: str = "AND",
    kind: str = "vulnerability",
    **values: str,
) -> dict[str, str]:
    """The definition, and the tests, objects and states that it refers to; `values` stand in place of any part."""
    space = "oval:com.microsoft.azurelinux"
    numbers = range(max(len(packages), len(states)))
    names = [packages[min(each, len(packages) - 1)] for each in numbers]
    compared = [states[min(each, len(states) - 1)] for each in numbers]
    negate = f' negate="{values["negate"]}"' if "negate" in values else ""
    criteria = "".join(
        f'<criterion comment="x" test_ref="{space}:tst:{number}{each}"{negate}/>' for each in numbers
    )
    criteria = f'<criteria operator="{operator}">{criteria}{values.get("more", "")}</criteria>'
    date = f"<advisory_date>{advised}</advisory_date>" if advised else ""
    title = values.get("title", f"CVE-2023-45853 affecting package {packages[0]}")
    deprecated = f' deprecated="{values["deprecated"]}"' if "deprecated" in values else ""
    identifier = values.get("identifier", f"{space}:def:{number}")
    check = values.get("check", "at least one")
    return {
        "definitions": f'<definition class="{kind}" id="{identifier}" version="1"{deprecated}><metadata>'
        f'<title>{title}</title><affected family="unix"><platform>Azure Linux</platform></affected>'
        '<reference ref_id="CVE-2023-45853" ref_url="https://nvd.nist.gov" source="CVE"/>'
        f"<patchable>{patchable}</patchable>{date}<advisory_id>{number}-1</advisory_id>"
        f"<severity>Critical</severity><description>{title}.</description></metadata>"
        f"{values.get('criteria', criteria)}</definition>",
        "tests": "".join(
            f'<linux-def:rpminfo_test check="{check}" comment="x" id="{space}:tst:{number}{each}" version="1">'
            f'<linux-def:object object_ref="{space}:obj:{number}{each}"/>'
            f'<linux-def:state state_ref="{space}:ste:{number}{each}"/></linux-def:rpminfo_test>'
            for each in numbers
        ),
        "objects": "".join(
            f'<linux-def:rpminfo_object id="{space}:obj:{number}{each}" version="1">'
            f"<linux-def:name>{name}</linux-def:name></linux-def:rpminfo_object>"
            for each, name in enumerate(names)
        ),
        "states": "".join(
            f'<linux-def:rpminfo_state id="{space}:ste:{number}{each}" version="1">{one}</linux-def:rpminfo_state>'
            for each, one in enumerate(compared)
        ),
    } | {key: value for key, value in values.items() if key in ("tests", "objects")}


def document(*definitions: dict[str, str], written: str = "2024-10-10T12:04:24.575063301Z") -> bytes:
    timestamp = f"<oval:timestamp>{written}</oval:timestamp>" if written else ""
    parts = "".join(
        f"<{part}>{''.join(each[part] for each in definitions)}</{part}>"
        for part in ("definitions", "tests", "objects", "states")
    )
    generator = f"<generator><oval:schema_version>5.11</oval:schema_version>{timestamp}</generator>"
    return f"<oval_definitions {_SPACES}>\n{generator}{parts}</oval_definitions>".encode()
