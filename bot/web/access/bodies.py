"""How much is kept of bodies that are on their way in, over all requests together."""

from dataclasses import dataclass


@dataclass(slots=True)
class Bodies:
    """Counts bytes that are `kept`, of which there are never more than `most`.

    What every request may bring needs no room here: how many there are at a time is bounded (`HeldConnections`).
    """

    most: int = 32 * 1024 * 1024
    kept: int = 0

    def keep(self, size: int) -> bool:
        """Takes room for so many bytes more; False, and nothing taken, where there is none."""
        if self.kept + size > self.most:
            return False
        self.kept += size
        return True

    def let_go(self, size: int) -> None:
        self.kept -= size
