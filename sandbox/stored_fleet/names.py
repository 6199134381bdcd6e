"""Names of repositories and people, the same for the same number."""

_DOMAINS = (
    *("payments", "checkout", "orders", "catalog", "pricing", "inventory", "shipping", "returns", "billing"),
    *("invoices", "accounts", "identity", "profile", "search", "reviews", "wishlist", "loyalty", "coupons"),
    *("fraud", "risk", "ledger", "settlement", "payouts", "tax", "currency", "contracts", "documents", "signing"),
    *("mail", "push", "sms", "campaigns", "segments", "consent", "audit", "reporting", "forecast", "warehouse"),
    *("picking", "routing", "carriers", "tracking", "labels", "customs", "suppliers", "purchasing", "assets"),
    *("media", "images", "translations", "content", "tickets", "chat", "telephony", "surveys", "scheduling"),
    *("timesheets", "payroll", "badges", "telemetry", "devices"),
)
_ROLES = (
    "api",
    "worker",
    "web",
    "gateway",
    "jobs",
    "consumer",
    "admin",
    "sync",
    "notifier",
    "importer",
    "bff",
    "export",
)
_AREAS = ("", "-eu", "-us", "-apac", "-internal", "-partner", "-batch", "-legacy")
PEOPLE = ("alice", "bob", "carol", "dmitri", "esra", "farid")


def service(number: int) -> str:
    """`payments-api`: the bare name of a repository, whose number counts from 1."""
    area, place = divmod(number - 1, len(_DOMAINS) * len(_ROLES))
    place = place * 307 % (len(_DOMAINS) * len(_ROLES))
    domain, role = _DOMAINS[place % len(_DOMAINS)], _ROLES[place // len(_DOMAINS)]
    return f"{domain}-{role}{_AREAS[area]}"


def repository(number: int) -> str:
    """`contoso/payments-api`."""
    return f"contoso/{service(number)}"


def project(number: int) -> str:
    """The folder of its project, `Payments.Api`."""
    return ".".join(part.capitalize() for part in service(number).split("-")[:2])
