"""A private key is read once in a process, not again for each token that is signed with it.

To read one takes the proof that its numbers are primes, which lasts for a hundred times as long as to sign with it;
in the sandbox every App signs in with the same key.
"""

from typing import Any

from jwt.algorithms import RSAAlgorithm


def read_keys_once() -> None:
    """From now on in this process; what is no key is refused each time."""
    read: Any = RSAAlgorithm.prepare_key
    keys: dict[str | bytes, Any] = {}

    def prepare_key(algorithm: RSAAlgorithm, key: Any) -> Any:
        if not isinstance(key, str | bytes):
            return read(algorithm, key)
        if key not in keys:
            keys[key] = read(algorithm, key)
        return keys[key]

    RSAAlgorithm.prepare_key = prepare_key  # type: ignore[method-assign, assignment]
