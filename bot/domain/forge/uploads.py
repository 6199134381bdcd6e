"""How far the forge is with findings that were uploaded to its code scanning."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of an upload: it is still worked on, it is shown now, or `errors` say why it is not."""

    is_pending: bool = False
    errors: tuple[str, ...] = ()
